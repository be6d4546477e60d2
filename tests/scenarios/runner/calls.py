"""Steps that make calls."""

from __future__ import annotations

import asyncio

import chatbridge.v1 as contract
from google.protobuf.message import Message

from runner.contract import full_name, item_class, message_of, plain, request_class, response_class
from runner.expect import check_answer, check_error
from runner.failure import StepError
from runner.participant import Participant, bytes_of, now_s
from runner.sandbox import CHANNEL, QUEUE
from stubs import driver_pb2, scenario_pb2
from stubs.driver_pb2 import Request, Response

# What the libraries give a call that carries a file, and more than any file of a scenario needs.
_TRANSFER_S = 60.0
_CALL_S = 20.0


async def open_client(who: Participant, step: scenario_pb2.OpenClient) -> None:
    """Opens a client."""
    await who.driver.ensure_started()
    await who.open_client(step)


async def close_client(who: Participant, step: scenario_pb2.CloseClient) -> None:
    """Closes a client."""
    await who.client(step.client)
    await who.close_client(step.client)


async def set_token(who: Participant, step: scenario_pb2.SetToken) -> None:
    """Changes a token."""
    token = who.web_token(step.web_token) if step.HasField("web_token") else step.token
    client = await who.client(step.client)
    await who.done(Request(set_token=driver_pb2.SetToken(client=client, token=token)))


async def converse(who: Participant, step: scenario_pb2.Converse) -> None:
    """Begins conversations."""
    client = await who.client(step.client)
    begun: list[str] = []
    for number in range(step.count or 1):
        request = contract.CreateConversationRequest(
            channel_id=CHANNEL,
            user=contract.User(name="Ada", user_id=f"{who.named('')}-{who.language}-{number}"),
            assignment=contract.Assignment(type=contract.AssignmentType.ASSIGNMENT_TYPE_QUEUE, id=QUEUE),
        )
        method = "ConversationService/CreateConversation"
        call = driver_pb2.Call(client=client, method=full_name(method), request=request.SerializeToString())
        response = await who.ask(Request(call=call), _CALL_S)
        answer = _answer(response, contract.CreateConversationResponse, None)
        assert isinstance(answer, contract.CreateConversationResponse)
        begun.append(answer.conversation_id)
        if number == 0:
            who.variables["begin"] = plain(answer)["cursor"]
    await asyncio.gather(*(who.world.sandbox.silence(conversation) for conversation in begun))
    who.variables["conversation"] = begun[0]
    who.variables["conversations"] = begun


async def call(who: Participant, step: scenario_pb2.Call) -> None:
    """Makes a call, or several alike."""
    request = message_of(request_class(step.method), step.request)
    asked = driver_pb2.Call(
        client=await who.client(step.client), method=full_name(step.method), request=request.SerializeToString()
    )
    if step.HasField("timeout"):
        asked.timeout.CopyFrom(step.timeout)
    timeout_s = step.timeout.ToTimedelta().total_seconds() if step.HasField("timeout") else _CALL_S
    begun_s = now_s()
    for _ in range(step.times or 1):
        response = await who.ask(Request(call=asked), timeout_s)
        _check(who, step.expect, response, response_class(step.method))
    _check_time(step.expect, begun_s)


async def upload(who: Participant, step: scenario_pb2.Upload) -> None:
    """Uploads a file."""
    start = message_of(contract.UploadAttachmentStart, step.start)
    assert isinstance(start, contract.UploadAttachmentStart)
    start.size_bytes = start.size_bytes or step.content.size
    asked = driver_pb2.Upload(
        client=await who.client(step.client), start=start.SerializeToString(), content=bytes_of(step.content)
    )
    begun_s = now_s()
    response = await who.ask(Request(upload=asked), _TRANSFER_S)
    _check(who, step.expect, response, contract.UploadAttachmentResponse)
    _check_time(step.expect, begun_s)


async def download(who: Participant, step: scenario_pb2.Download) -> None:
    """Downloads a file."""
    request = message_of(contract.DownloadAttachmentRequest, step.request)
    asked = driver_pb2.Download(client=await who.client(step.client), request=request.SerializeToString())
    begun_s = now_s()
    response = await who.ask(Request(download=asked), _TRANSFER_S)
    if not response.HasField("downloaded"):
        _check(who, step.expect, response, contract.Attachment)
        return
    content = bytes_of(step.content)
    if response.downloaded.content != content:
        got = len(response.downloaded.content)
        raise StepError(f"the file has {got} bytes, expected {len(content)}, or others than it should have")
    start = contract.Attachment.FromString(response.downloaded.start)
    who.variables.update(check_answer(step.expect, start if response.downloaded.start else {}))
    _check_time(step.expect, begun_s)


async def hand_over(who: Participant, step: scenario_pb2.HandOver) -> None:
    """Hands a customer over."""
    start = message_of(contract.HandOver, step.start)
    files = []
    for file in step.files:
        head = message_of(contract.HandOverFile, file.start)
        assert isinstance(head, contract.HandOverFile)
        head.size_bytes = head.size_bytes or file.content.size
        files.append(driver_pb2.File(start=head.SerializeToString(), content=bytes_of(file.content)))
    asked = driver_pb2.HandOver(client=await who.client(step.client), start=start.SerializeToString(), files=files)
    begun_s = now_s()
    response = await who.ask(Request(hand_over=asked), _TRANSFER_S)
    _check(who, step.expect, response, contract.HandOverConversationResponse)
    _check_time(step.expect, begun_s)


async def iterate(who: Participant, step: scenario_pb2.Iterate) -> None:
    """Reads all items of a list."""
    request = message_of(request_class(step.method), step.request)
    asked = driver_pb2.Iterate(
        client=await who.client(step.client), method=full_name(step.method), request=request.SerializeToString()
    )
    begun_s = now_s()
    response = await who.ask(Request(iterate=asked), _CALL_S)
    if not response.HasField("pages"):
        _check(who, step.expect, response, contract.Conversation)
        return
    kind = item_class(step.method)
    items = [plain(kind.FromString(item)) for item in response.pages.items]
    who.variables.update(check_answer(step.expect, {"items": items}))
    _check_time(step.expect, begun_s)


async def commit(who: Participant, step: scenario_pb2.Commit) -> None:
    """Commits a cursor."""
    asked = driver_pb2.Commit(
        client=await who.client(step.client), subscription=step.subscription, cursor=cursor_bytes(step.cursor)
    )
    begun_s = now_s()
    response = await who.ask(Request(commit=asked), _CALL_S)
    _check(who, step.expect, response, contract.CommitCursorResponse)
    _check_time(step.expect, begun_s)


def cursor_bytes(text: str) -> bytes:
    """A cursor as variables have it."""
    request = message_of(contract.CommitCursorRequest, {"cursor": text})
    assert isinstance(request, contract.CommitCursorRequest)
    return request.cursor


def _check(who: Participant, expect: scenario_pb2.Expect, response: Response, kind: type[Message]) -> None:
    answer = _answer(response, kind, expect)
    if answer is not None:
        who.variables.update(check_answer(expect, answer))


def _answer(response: Response, kind: type[Message], expect: scenario_pb2.Expect | None) -> Message | None:
    if response.HasField("error"):
        check_error(expect.error if expect is not None and expect.HasField("error") else None, response.error)
        return None
    if not response.HasField("call"):
        raise StepError(f"the driver answered {response.WhichOneof('result')} instead of a call's answer")
    return kind.FromString(response.call.response)


def _check_time(expect: scenario_pb2.Expect, begun_s: float) -> None:
    took_s = now_s() - begun_s
    within_s = expect.within.ToTimedelta().total_seconds()
    if expect.HasField("within") and took_s > within_s:
        raise StepError(f"it took {took_s:.2f} s, expected at most {within_s:g} s")
    not_before_s = expect.not_before.ToTimedelta().total_seconds()
    if took_s < not_before_s:
        raise StepError(f"it took {took_s:.2f} s, expected at least {not_before_s:g} s")
