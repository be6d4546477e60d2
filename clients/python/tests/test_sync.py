"""The client that blocks, used as programs of threads do."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import grpc
import pytest
from fake import Connection, Context, Fake, abort, heartbeat
from google.rpc.error_details_pb2 import ErrorInfo

from chatbridge import Backoff, ChatbridgeError, File, Watchdog
from chatbridge.sync import AgentEvents, Chatbridge
from chatbridge.v1 import (
    AgentEventsRequest,
    AgentEventsResponse,
    Attachment,
    Changed,
    DownloadAttachmentResponse,
    Heartbeat,
    SendMessageRequest,
    UploadAttachmentRequest,
    User,
)

MIB = 1024 * 1024
QUICK = Backoff(initial_s=0.01, maximum_s=0.02)

_T = TypeVar("_T")


async def in_thread(work: Callable[[], _T]) -> _T:
    """What a thread of the application does, while the fake server has this one's event loop."""
    return await asyncio.wait_for(asyncio.to_thread(work), 20)


@pytest.fixture
def client(fake: Fake) -> Iterator[Chatbridge]:
    with Chatbridge(fake.target, tenant="t1", backoff=QUICK) as client:
        yield client


def sends(*cursors: bytes, hang: bool = True) -> Connection:
    """A connection that sends heartbeats with these cursors, and then nothing, or breaks."""

    async def connection(request: AgentEventsRequest, context: Context) -> AsyncIterator[AgentEventsResponse]:
        for cursor in cursors:
            yield heartbeat(cursor)
        if hang:
            await asyncio.Event().wait()
        await abort(context, grpc.StatusCode.UNAVAILABLE, "broken")

    return connection


def take(stream: AgentEvents, count: int) -> list[bytes]:
    return [next(stream).cursor for _ in range(count)]


def readers() -> list[str]:
    """Threads of streams that are still there."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("chatbridge")]


async def test_a_call_is_filled_in_and_repeated(fake: Fake, client: Chatbridge) -> None:
    async def fail(context: Context) -> None:
        if len(fake.requests) == 1:
            await abort(context, grpc.StatusCode.UNAVAILABLE, "gone")

    fake.fail = fail
    await in_thread(lambda: client.send_message("c1", "Hi"))
    first, second = fake.requests
    assert isinstance(first, SendMessageRequest)
    assert first == second
    assert first.tenant == "t1"
    assert first.request_id


async def test_an_error_is_read(fake: Fake, client: Chatbridge) -> None:
    async def fail(context: Context) -> None:
        info = ErrorInfo(reason="UPSTREAM_NOT_FOUND", domain="chatbridge", metadata={"reference_id": "r-9"})
        await abort(context, grpc.StatusCode.NOT_FOUND, "no such thing", info)

    fake.fail = fail
    with pytest.raises(ChatbridgeError) as caught:
        await in_thread(lambda: client.get_conversation("c1"))
    assert str(caught.value) == "NOT_FOUND (UPSTREAM_NOT_FOUND): no such thing [reference r-9]"


async def test_lists_are_followed(client: Chatbridge) -> None:
    every = await in_thread(lambda: list(client.iterate_conversations(page_size=2)))
    assert [conversation.conversation_id for conversation in every] == ["c0", "c1", "c2", "c3", "c4"]


async def test_many_threads_share_a_client(fake: Fake, client: Chatbridge) -> None:
    await asyncio.gather(*(in_thread(lambda: client.get_conversation("c1")) for _ in range(20)))
    assert len(fake.requests) == 20


async def test_files_go_up_and_come_down(fake: Fake, client: Chatbridge, tmp_path: Path) -> None:
    content = [b"x" * 3 * MIB, b"", b"y"]
    file = File(content, "big.bin", size_bytes=3 * MIB + 1)
    assert (await in_thread(lambda: client.upload_attachment("c1", file))).id == "a1"
    chunks = [request.chunk for request in fake.requests if isinstance(request, UploadAttachmentRequest)]
    assert b"".join(chunks) == b"".join(content)
    assert max(map(len, chunks)) <= 256 * 1024

    async def gives(context: Context) -> AsyncIterator[DownloadAttachmentResponse]:
        yield DownloadAttachmentResponse(start=Attachment(id="a1", file_name="a.txt"))
        for chunk in (b"abc", b"def"):
            yield DownloadAttachmentResponse(chunk=chunk)

    fake.downloads = gives
    target = tmp_path / "copy"
    found = await in_thread(lambda: client.download_attachment_to("c1", "a1", target))
    assert (found.file_name, target.read_bytes()) == ("a.txt", b"abcdef")


async def test_a_content_that_fails_ends_the_call_and_is_raised(fake: Fake, client: Chatbridge) -> None:
    def failing() -> Iterator[bytes]:
        yield b"abc"
        raise RuntimeError("the disk is gone")

    file = File(failing(), "a", size_bytes=10)
    with pytest.raises(RuntimeError, match="the disk is gone"):
        await in_thread(lambda: client.upload_attachment("c1", file))
    await asyncio.wait_for(fake.transfer_ended.wait(), 10)


async def test_an_early_refusal_is_raised_as_the_server_said_it(fake: Fake, client: Chatbridge) -> None:
    async def fail(context: Context) -> None:
        info = ErrorInfo(reason="UPSTREAM_NOT_FOUND", domain="chatbridge")
        await abort(context, grpc.StatusCode.NOT_FOUND, "no such conversation", info)

    fake.fail = fail
    # gRPC may lose the server's words now and then.
    for _ in range(20):
        fake.requests.clear()
        fake.takes = 2
        with pytest.raises(ChatbridgeError, match="no such conversation"):
            await in_thread(lambda: client.upload_attachment("c1", File([b"x" * MIB] * 32, "a", size_bytes=32 * MIB)))


async def test_an_asynchronous_iterator_is_refused_before_anything_is_sent(fake: Fake, client: Chatbridge) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"abc"

    file = File(pieces(), "a", size_bytes=3)
    with pytest.raises(TypeError, match="asynchronous"):
        await in_thread(lambda: client.hand_over_conversation("channel", user=User(), files=[file]))
    assert fake.requests == []


async def test_a_stream_goes_on_over_a_break(fake: Fake, client: Chatbridge) -> None:
    fake.connections = [sends(b"1", b"2", hang=False), sends(b"3")]

    def work() -> list[bytes]:
        with client.agent_events(start=b"0") as stream:
            return take(stream, 3)

    assert await in_thread(work) == [b"1", b"2", b"3"]
    assert [request.cursor for request in fake.streams] == [b"0", b"2"]
    assert readers() == []


async def test_a_silent_connection_is_given_up_for_a_new_one(fake: Fake) -> None:
    peers: list[str] = []

    def noting(connection: Connection) -> Connection:
        async def noted(request: AgentEventsRequest, context: Context) -> AsyncIterator[AgentEventsResponse]:
            peers.append(context.peer())
            async for response in connection(request, context):
                yield response

        return noted

    fake.connections = [noting(sends(b"1")), noting(sends(b"2"))]

    def work() -> list[bytes]:
        with Chatbridge(fake.target, backoff=QUICK, watchdog=Watchdog(opening_s=5, silence_s=0.2)) as client:
            cursors = take(client.agent_events(), 2)
            assert client._channels._retired == set()
            return cursors

    assert await in_thread(work) == [b"1", b"2"]
    assert len(set(peers)) == 2
    assert fake.streams[1].cursor == b"1"
    assert readers() == []


async def test_no_more_is_held_than_the_buffer_takes_and_nothing_is_lost(fake: Fake, client: Chatbridge) -> None:
    cursors = [b"%d" % n for n in range(200)]
    fake.connections = [sends(*cursors)]

    def work() -> tuple[list[bytes], int]:
        with client.agent_events(buffer=4) as stream:
            seen = take(stream, 1)
            with stream._turn:
                assert stream._turn.wait_for(lambda: len(stream._held) == 4, 10)
            most = 0
            while len(seen) < len(cursors):
                most = max(most, len(stream._held))
                seen += take(stream, 1)
            return seen, most

    assert await in_thread(work) == (cursors, 4)


@pytest.mark.parametrize("how", ["stop", "close", "client"])
async def test_another_thread_ends_a_waiting_iteration(fake: Fake, how: str) -> None:
    fake.connections = [sends(b"1")]
    client = Chatbridge(fake.target)
    stream = client.agent_events()
    given = threading.Event()

    def work() -> list[bytes]:
        seen = []
        for response in stream:
            seen.append(response.cursor)
            given.set()
        return seen

    waiting = asyncio.ensure_future(in_thread(work))
    assert await in_thread(lambda: given.wait(10))
    await in_thread({"stop": stream.stop, "close": stream.close, "client": client.close}[how])
    assert await waiting == [b"1"]
    await in_thread(client.close)
    assert readers() == []


async def test_the_cursor_is_saved_as_the_next_response_is_asked_for(fake: Fake, client: Chatbridge) -> None:
    fake.connections = [sends(b"6", b"7", b"8")]
    saved: list[bytes] = []

    def work() -> None:
        with client.agent_events(load_cursor=lambda: b"5", save_cursor=saved.append) as stream:
            take(stream, 1)
            assert saved == []
            take(stream, 1)
            assert saved == [b"6"]
        assert saved == [b"6", b"7"]

    await in_thread(work)
    assert fake.streams[0].cursor == b"5"


async def test_what_was_changed_outlives_a_break(fake: Fake, client: Chatbridge) -> None:
    async def first(request: AgentEventsRequest, context: Context) -> AsyncIterator[AgentEventsResponse]:
        yield AgentEventsResponse(cursor=b"1", heartbeat=Heartbeat(stream_id="s1"))
        await fake.changed.acquire()
        yield AgentEventsResponse(cursor=b"2", changed=Changed(revision=1))
        await fake.changed.acquire()
        await abort(context, grpc.StatusCode.UNAVAILABLE, "broken")

    async def second(request: AgentEventsRequest, context: Context) -> AsyncIterator[AgentEventsResponse]:
        yield AgentEventsResponse(cursor=b"3", heartbeat=Heartbeat(stream_id="s2"))
        await fake.changed.acquire()
        yield AgentEventsResponse(cursor=b"4", changed=Changed(revision=1))
        await asyncio.Event().wait()

    fake.connections = [first, second]
    stream = client.agent_events(["a", "b"], changeable=True)

    def change() -> None:
        stream.change(add=["c"], remove=["a"])
        stream.change(add=["d"])

    changing = asyncio.ensure_future(in_thread(change))
    assert await in_thread(lambda: take(stream, 4)) == [b"1", b"2", b"3", b"4"]
    await changing
    assert list(fake.streams[1].conversation_ids) == ["b", "c"]
    assert [list(change.add_conversation_ids) for change in fake.changes] == [["c"], ["d"], ["d"]]
    await in_thread(stream.close)
    with pytest.raises(RuntimeError, match="ended"):
        await in_thread(lambda: stream.change(add=["e"]))


async def test_calls_under_way_fail_when_the_client_is_closed(fake: Fake) -> None:
    arrived = asyncio.Event()

    async def hang(context: Context) -> None:
        arrived.set()
        await asyncio.Event().wait()

    fake.fail = hang
    client = Chatbridge(fake.target)
    call = asyncio.ensure_future(in_thread(lambda: client.get_conversation("c1")))
    await arrived.wait()
    await in_thread(client.close)
    with pytest.raises(ChatbridgeError) as caught:
        await call
    assert caught.value.code is grpc.StatusCode.CANCELLED
    with pytest.raises(RuntimeError, match="closed"):
        await in_thread(lambda: client.get_conversation("c1"))


def test_a_client_that_was_used_before_a_fork_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Chatbridge("127.0.0.1:1")
    with pytest.raises(ChatbridgeError):
        client.get_conversation("c1")
    monkeypatch.setattr("os.getpid", lambda: -1)
    with pytest.raises(RuntimeError, match="forked"):
        client.get_conversation("c1")
