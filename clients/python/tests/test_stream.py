"""What a stream does besides resuming: watchdog, buffer, the cursor's functions, and its end."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from fake import Connection, Context, Fake, abort, heartbeat

from chatbridge import Backoff, Chatbridge, ChatbridgeError, Watchdog
from chatbridge.v1 import AgentEventsRequest, AgentEventsResponse

QUICK = Backoff(initial_s=0.01, maximum_s=0.02)


def sends(*cursors: bytes, hang: bool = True) -> Connection:
    """A connection that sends heartbeats with these cursors, and then nothing."""

    async def connection(request: AgentEventsRequest, context: Context) -> AsyncIterator[AgentEventsResponse]:
        for cursor in cursors:
            yield heartbeat(cursor)
        if hang:
            await asyncio.Event().wait()

    return connection


async def take(stream: AsyncIterator[AgentEventsResponse], count: int) -> list[bytes]:
    """The cursors of the next `count` responses."""
    return [(await asyncio.wait_for(stream.__anext__(), 10)).cursor for _ in range(count)]


@pytest.mark.parametrize("first", [sends(), sends(b"1")], ids=["before the first response", "later"])
async def test_a_silent_connection_is_given_up_for_a_new_one(fake: Fake, first: Connection) -> None:
    peers: list[str] = []

    def noting(connection: Connection) -> Connection:
        async def noted(request: AgentEventsRequest, context: Context) -> AsyncIterator[AgentEventsResponse]:
            peers.append(context.peer())
            async for response in connection(request, context):
                yield response

        return noted

    fake.connections = [noting(first), noting(sends(b"2"))]
    async with Chatbridge(fake.target, backoff=QUICK, watchdog=Watchdog(opening_s=0.2, silence_s=0.2)) as chatbridge:
        async with chatbridge.agent_events(start=b"0") as stream:
            cursors = [cursor async for cursor in _until(stream, b"2")]
        assert cursors[-1] == b"2"
        assert len(set(peers)) == 2
        assert fake.streams[1].cursor == (b"1" if len(cursors) > 1 else b"0")
        # Other calls go over the new connection, too.
        await chatbridge.get_conversation("c1")
        assert len(chatbridge._channels._retired) == 0


async def _until(stream: AsyncIterator[AgentEventsResponse], cursor: bytes) -> AsyncIterator[bytes]:
    async for response in stream:
        yield response.cursor
        if response.cursor == cursor:
            return


async def test_an_application_that_is_slow_is_not_silence(fake: Fake) -> None:
    fake.connections = [sends(b"1", b"2")]
    async with Chatbridge(fake.target, watchdog=Watchdog(opening_s=10, silence_s=0.2)) as chatbridge:
        stream = chatbridge.agent_events()
        await take(stream, 2)
        await asyncio.sleep(0.3)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(stream.__anext__(), 0.05)
        assert len(fake.streams) == 1


async def test_no_more_is_held_than_the_buffer_takes_and_nothing_is_lost(fake: Fake, chatbridge: Chatbridge) -> None:
    cursors = [b"%d" % n for n in range(200)]
    fake.connections = [sends(*cursors)]
    held: set[int] = set()
    seen: list[bytes] = []
    async with chatbridge.agent_events(buffer=4) as stream:
        for _ in cursors:
            seen += await take(stream, 1)
            # Turns for the reader to read ahead.
            for _ in range(20):
                await asyncio.sleep(0)
            held.add(len(stream._held))
    assert seen == cursors
    assert max(held) == 4


async def test_a_buffer_holds_something(chatbridge: Chatbridge) -> None:
    with pytest.raises(ValueError, match="buffer"):
        chatbridge.agent_events(buffer=0)


class Saved:
    """Keeps a cursor, and what became of it."""

    def __init__(self, cursor: bytes | None = None) -> None:
        """Begins with a cursor."""
        self.cursor = cursor
        self.loads = 0
        self.saved: list[bytes] = []

    async def load(self) -> bytes | None:
        """As a database would."""
        self.loads += 1
        await asyncio.sleep(0)
        return self.cursor

    async def save(self, cursor: bytes) -> None:
        """As a database would."""
        await asyncio.sleep(0)
        self.saved.append(cursor)


async def test_what_is_loaded_wins_and_is_asked_for_once(fake: Fake, chatbridge: Chatbridge) -> None:
    fake.connections = [sends(b"6", hang=False), sends(b"7")]
    saved = Saved(b"5")
    stream = chatbridge.agent_events(start=b"mine", load_cursor=saved.load)
    assert await take(stream, 2) == [b"6", b"7"]
    assert [request.cursor for request in fake.streams] == [b"5", b"6"]
    assert saved.loads == 1
    await stream.aclose()


async def test_nothing_that_was_saved_leaves_the_start(fake: Fake, chatbridge: Chatbridge) -> None:
    fake.connections = [sends(b"6")]
    async with chatbridge.agent_events(start=b"mine", load_cursor=lambda: None) as stream:
        await take(stream, 1)
    assert fake.streams[0].cursor == b"mine"


async def test_a_cursor_is_saved_when_the_next_response_is_asked_for_and_at_the_end(
    fake: Fake, chatbridge: Chatbridge
) -> None:
    fake.connections = [sends(b"1", b"2", b"3")]
    saved = Saved()
    async with chatbridge.agent_events(save_cursor=saved.save) as stream:
        await take(stream, 1)
        assert saved.saved == []
        await take(stream, 1)
        assert saved.saved == [b"1"]
    assert saved.saved == [b"1", b"2"]


async def test_an_exception_leaves_the_last_cursor_unsaved(fake: Fake, chatbridge: Chatbridge) -> None:
    fake.connections = [sends(b"1", b"2")]
    saved = Saved()

    async def work() -> None:
        async with chatbridge.agent_events(save_cursor=saved.save) as stream:
            await take(stream, 2)
            raise RuntimeError("half done")

    with pytest.raises(RuntimeError, match="half done"):
        await work()
    assert saved.saved == [b"1"]


async def test_a_stop_from_elsewhere_saves_when_the_application_comes_back(
    fake: Fake, chatbridge: Chatbridge
) -> None:
    fake.connections = [sends(b"1", b"2")]
    saved = Saved()
    stream = chatbridge.agent_events(save_cursor=saved.save)
    async for _ in stream:
        stream.stop()
        assert saved.saved == []
    assert saved.saved == [b"1"]


async def test_what_saving_raises_ends_the_stream(fake: Fake, chatbridge: Chatbridge) -> None:
    def full(cursor: bytes) -> None:
        raise OSError("the disk is full")

    fake.connections = [sends(b"1", b"2")]
    stream = chatbridge.agent_events(save_cursor=full)
    await take(stream, 1)
    with pytest.raises(OSError, match="full"):
        await take(stream, 1)
    with pytest.raises(OSError, match="full"):
        await stream.aclose()
    assert stream._reader is None


async def test_what_loading_raises_is_raised_before_anything_is_sent(fake: Fake, chatbridge: Chatbridge) -> None:
    async def away() -> bytes:
        raise OSError("the disk is away")

    with pytest.raises(OSError, match="away"):
        await take(chatbridge.agent_events(load_cursor=away), 1)
    assert fake.streams == []


async def test_the_cursor_is_of_what_was_given_not_of_what_is_held(fake: Fake, chatbridge: Chatbridge) -> None:
    fake.connections = [sends(b"1", b"2", b"3")]
    async with chatbridge.agent_events() as stream:
        await take(stream, 1)
        while len(stream._held) < 2:  # noqa: ASYNC110 (the stream has no event to wait on)
            await asyncio.sleep(0.001)
        assert stream.cursor == b"1"


async def test_a_token_that_changes_mends_a_refusal(fake: Fake) -> None:
    tokens = iter(["old", "old", "new"])
    heard: list[str] = []

    async def checks(request: AgentEventsRequest, context: Context) -> AsyncIterator[AgentEventsResponse]:
        token = dict(context.invocation_metadata() or ())["authorization"]
        heard.append(str(token))
        if token != "Bearer new":
            await abort(context, grpc.StatusCode.UNAUTHENTICATED, "expired")
        yield heartbeat(b"1")

    fake.connections = [checks] * 3
    async with Chatbridge(fake.target, token=lambda: next(tokens), backoff=QUICK) as chatbridge:
        assert await take(chatbridge.agent_events(), 1) == [b"1"]
    assert heard == ["Bearer old", "Bearer old", "Bearer new"]
    fake.streams.clear()
    async with Chatbridge(fake.target, token="old", backoff=QUICK) as chatbridge:
        with pytest.raises(ChatbridgeError) as caught:
            await take(chatbridge.agent_events(), 1)
    assert caught.value.code is grpc.StatusCode.UNAUTHENTICATED


async def test_the_end_leaves_no_task_behind(fake: Fake, chatbridge: Chatbridge) -> None:
    fake.connections = [sends(b"1")] * 3
    await chatbridge.get_conversation("c1")
    before = len(asyncio.all_tasks())
    for _ in range(3):
        stream = chatbridge.agent_events()
        await take(stream, 1)
        await stream.aclose()
        assert stream._reader is None
    assert chatbridge._streams == set()
    await chatbridge.close()
    # The server's own end with the calls.
    for _ in range(1000):
        if len(asyncio.all_tasks()) <= before:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"left: {asyncio.all_tasks()}")


async def test_closing_the_client_fails_calls_and_is_no_cancellation(fake: Fake) -> None:
    arrived = asyncio.Event()

    async def hang(context: Context) -> None:
        arrived.set()
        await asyncio.Event().wait()

    fake.fail = hang
    chatbridge = Chatbridge(fake.target)
    call = asyncio.ensure_future(chatbridge.get_conversation("c1"))
    await arrived.wait()
    await chatbridge.close()
    with pytest.raises(ChatbridgeError, match="closed") as caught:
        await call
    assert caught.value.code is grpc.StatusCode.CANCELLED
