"""The Python client with a token, against a Chatbridge that asks for one."""

import asyncio
import subprocess
from collections.abc import Callable, Iterator, Mapping

import grpc
import pytest
from chatbridge import Chatbridge, ChatbridgeError, File, from_user
from chatbridge.v1 import User

from processes import binary, running_dev

TOKEN = "cb_not-a-secret"
WAIT_S = 30.0


def hash_of(token: str) -> str:
    command = [str(binary()), "token", "--hash"]
    return subprocess.run(command, input=token, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """`chatbridge dev` that lets in whoever has the token."""
    settings = {"CHATBRIDGE_TOKEN_SHA256": hash_of(TOKEN)}
    with running_dev(tmp_path_factory.mktemp("dev"), settings=settings) as addresses:
        yield addresses


async def each_kind_of_call(chatbridge: Chatbridge) -> None:
    """A call without streams, one with a stream of answers, one with a stream of requests, and a stream of events."""
    created = await chatbridge.create_conversation("sandbox-chat", user=User(name="Ada"))
    async with chatbridge.agent_events([created.conversation_id], start=created.cursor) as events:
        await chatbridge.send_message(created.conversation_id, from_user("Hello"))
        stored = await chatbridge.upload_attachment(created.conversation_id, File(b"hello", file_name="a.txt"))
        chunks = [chunk async for chunk in chatbridge.download_attachment(created.conversation_id, stored.id)]
        assert b"".join(chunks) == b"hello"
        async for response in events:
            if response.HasField("event"):
                return
    raise AssertionError("no event came")


async def first_of(chatbridge: Chatbridge) -> None:
    """Opens a stream of events and waits for what comes first."""
    async with chatbridge.agent_events() as events:
        async for _ in events:
            return


async def a_token() -> str:
    await asyncio.sleep(0)
    return TOKEN


@pytest.mark.parametrize("token", [TOKEN, lambda: TOKEN, a_token], ids=["text", "function", "coroutine function"])
async def test_every_kind_of_call_has_the_token(guarded: Mapping[str, str], token: str | Callable[[], str]) -> None:
    async with Chatbridge(guarded["grpc"], token=token) as chatbridge:
        await asyncio.wait_for(each_kind_of_call(chatbridge), WAIT_S)


@pytest.mark.parametrize(("token", "reason"), [(None, "CREDENTIALS_MISSING"), ("wrong", "CREDENTIALS_INVALID")])
async def test_without_the_token_nobody_is_let_in(guarded: Mapping[str, str], token: str | None, reason: str) -> None:
    async with Chatbridge(guarded["grpc"], token=token) as chatbridge:
        with pytest.raises(ChatbridgeError) as refused:
            await chatbridge.list_sessions()
        assert refused.value.code == grpc.StatusCode.UNAUTHENTICATED
        assert refused.value.reason == reason
        with pytest.raises(ChatbridgeError) as refused:
            await first_of(chatbridge)
        assert refused.value.reason == reason


def test_a_new_token_comes_with_its_hash() -> None:
    printed = subprocess.run([str(binary()), "token"], capture_output=True, text=True, check=True).stdout
    token, sha256 = (line.split()[1] for line in printed.splitlines())
    assert token.startswith("cb_")
    assert hash_of(token + "\n") == sha256
