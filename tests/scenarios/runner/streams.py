"""Steps with streams of events."""

from __future__ import annotations

import asyncio

import chatbridge.v1 as contract
from google.protobuf.duration_pb2 import Duration

from runner.contract import message_of
from runner.expect import check_error
from runner.failure import StepError
from runner.heard import Heard, check_events, check_taken, missing, summary
from runner.participant import Participant, now_s
from stubs import driver_pb2, scenario_pb2
from stubs.driver_pb2 import Request, Taken
from stubs.scenario_pb2 import Events, ExpectTaken

_TIMEOUT_S = 20.0
# How many events are committed together, where each round's last is.
_ROUND_MAX = 500


async def open_stream(who: Participant, step: scenario_pb2.OpenStream) -> None:
    """Opens a stream."""
    request = message_of(contract.AgentEventsRequest, step.request)
    opening = driver_pb2.OpenStream(
        client=await who.client(step.client),
        stream=who.named(step.stream),
        request=request.SerializeToString(),
        cursor_file=str(who.cursor_file()) if step.cursor_hooks else "",
        without_resume=step.without_resume,
        buffer=step.buffer,
    )
    # What came before a driver was killed was heard by the same application.
    if not step.cursor_hooks or step.stream not in who.heard:
        who.heard[step.stream] = Heard()
    who.heard[step.stream].last = Taken()
    assert isinstance(request, contract.AgentEventsRequest)
    who.subscriptions[step.stream] = (step.client, request.subscription)
    await who.done(Request(open_stream=opening))


async def take(who: Participant, step: scenario_pb2.Take) -> None:
    """Takes responses until what is wanted has come, and judges them."""
    heard = _heard(who, step.stream)
    before = len(heard.responses)
    deadline_s = now_s() + (step.timeout.ToTimedelta().total_seconds() if step.HasField("timeout") else _TIMEOUT_S)
    while (count := _wanted(who, step, heard, before)) > 0 and now_s() < deadline_s:
        taken = await _take(who, step, count, deadline_s - now_s())
        new = heard.add(taken)
        if taken.HasField("error") or taken.ended:
            break
        if step.commit:
            await _commit(who, step, new)
    new = heard.responses[before:]
    expect = step.expect
    who.variables.update(check_taken(_ended_as_wanted(step), new, heard, step.payload))
    left = _wanted(who, step, heard, before)
    if left > 0 and not step.until_end and not heard.last.HasField("error") and not heard.last.ended:
        raise StepError(f"{left} {_what(step)} did not come in time; got {summary(new)}")
    for events in [*step.until, *expect.events]:
        check_events(events, _streams(who, step.stream, events))


async def change(who: Participant, step: scenario_pb2.Change) -> None:
    """Changes a stream."""
    request = message_of(contract.ChangeAgentEventsRequest, step.request)
    asked = driver_pb2.Change(stream=who.named(step.stream), request=request.SerializeToString())
    response = await who.ask(Request(change=asked), _TIMEOUT_S)
    if response.HasField("error"):
        check_error(step.error if step.HasField("error") else None, response.error)
    elif step.HasField("error"):
        raise StepError("the change was accepted, but an error was expected")


async def close_stream(who: Participant, step: scenario_pb2.CloseStream) -> None:
    """Ends a stream."""
    await who.done(Request(close_stream=driver_pb2.CloseStream(stream=who.named(step.stream))))


def _heard(who: Participant, stream: str) -> Heard:
    if stream not in who.heard:
        raise StepError(f"the scenario has opened no stream {stream!r}")
    return who.heard[stream]


def _streams(who: Participant, stream: str, events: Events) -> list[Heard]:
    return [_heard(who, stream), *(_heard(who, other) for other in events.streams)]


def _wanted(who: Participant, step: scenario_pb2.Take, heard: Heard, before: int) -> int:
    if step.until_end:
        return 0 if heard.last.ended or heard.last.HasField("error") else 1
    if step.until:
        return sum(missing(events, _streams(who, step.stream, events)) for events in step.until)
    counted = [r for r in heard.responses[before:] if not step.payload or r.WhichOneof("payload") == step.payload]
    return max(0, (step.count or 1) - len(counted))


async def _take(who: Participant, step: scenario_pb2.Take, count: int, left_s: float) -> Taken:
    payload = "event" if step.until else step.payload
    if step.commit:
        count = 1 if step.commit == "each" else min(count, _ROUND_MAX)
    asked = driver_pb2.Take(stream=who.named(step.stream), count=count, payload=payload)
    # Others' events may count, and of these nothing comes: look again now and then.
    wait_s = min(left_s, 2.0) if step.until and len(step.until[0].streams) else left_s
    asked.timeout.CopyFrom(_duration(wait_s))
    if step.HasField("pause"):
        asked.pause.CopyFrom(step.pause)
    response = await who.ask(Request(take=asked), wait_s)
    if not response.HasField("taken"):
        raise StepError(f"the driver answered {response.WhichOneof('result')} instead of what it took")
    return response.taken


async def _commit(who: Participant, step: scenario_pb2.Take, new: list[contract.AgentEventsResponse]) -> None:
    client, subscription = who.subscriptions[step.stream]
    cursors: dict[int, bytes] = {}
    for response in new:
        if response.HasField("event"):
            cursors[response.share] = response.cursor
    name = await who.client(client)
    asked = [
        Request(commit=driver_pb2.Commit(client=name, subscription=subscription, cursor=cursor))
        for cursor in cursors.values()
    ]
    for answer in await asyncio.gather(*(who.ask(request, _TIMEOUT_S) for request in asked)):
        if answer.HasField("error"):
            check_error(None, answer.error)


def _ended_as_wanted(step: scenario_pb2.Take) -> ExpectTaken:
    expect = ExpectTaken()
    expect.CopyFrom(step.expect)
    if step.until_end and not step.expect.HasField("error"):
        expect.ended = True
    return expect


def _what(step: scenario_pb2.Take) -> str:
    if step.until:
        return "texts"
    return f"{step.payload}s" if step.payload else "responses"


def _duration(seconds: float) -> Duration:
    duration = Duration()
    duration.FromMilliseconds(max(1, int(seconds * 1000)))
    return duration
