"""How a stream of events goes on over breaks, and how it stops."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timezone

import grpc
import pytest
from fake import Connection, Context, Fake, abort, heartbeat, serve
from google.protobuf.duration_pb2 import Duration

from chatbridge import Backoff, Chatbridge, ChatbridgeError, StreamEndedError
from chatbridge.v1 import (
    AgentEventsRequest,
    AgentEventsResponse,
    Changed,
    Ending,
    EndingReason,
    EventKind,
    GapPolicy,
    Heartbeat,
    ReconnectAdvice,
    StartPosition,
)


def sends(*cursors: bytes, then: Connection | None = None) -> Connection:
    """A connection that sends heartbeats with these cursors and then closes, or goes on as `then`."""

    async def connection(request: AgentEventsRequest, context: Context) -> AsyncIterator[AgentEventsResponse]:
        for cursor in cursors:
            yield heartbeat(cursor)
        if then is not None:
            async for response in then(request, context):
                yield response

    return connection


def fails(code: grpc.StatusCode) -> Connection:
    """A connection that breaks."""

    async def connection(request: AgentEventsRequest, context: Context) -> AsyncIterator[AgentEventsResponse]:
        await abort(context, code, "broken")
        yield heartbeat(b"never")

    return connection


def ends(cursor: bytes, ending: Ending) -> Connection:
    """A connection that ends as it should."""

    async def connection(request: AgentEventsRequest, context: Context) -> AsyncIterator[AgentEventsResponse]:
        yield AgentEventsResponse(cursor=cursor, ending=ending)

    return connection


def hangs() -> Connection:
    """A connection on which nothing more comes."""

    async def connection(request: AgentEventsRequest, context: Context) -> AsyncIterator[AgentEventsResponse]:
        await asyncio.Event().wait()
        yield heartbeat(b"never")

    return connection


UNAVAILABLE = fails(grpc.StatusCode.UNAVAILABLE)


async def take(stream: AsyncIterator[AgentEventsResponse], count: int) -> list[bytes]:
    """The cursors of the next `count` responses."""
    return [(await asyncio.wait_for(stream.__anext__(), 10)).cursor for _ in range(count)]


async def test_the_request_says_what_was_asked_for(fake: Fake, chatbridge: Chatbridge) -> None:
    fake.connections = [sends(b"1")]
    stream = chatbridge.agent_events(
        ["c1"],
        kinds=[EventKind.EVENT_KIND_MESSAGE],
        start=b"0",
        include_echoes=True,
        include_raw=True,
        gap_policy=GapPolicy.GAP_POLICY_EARLIEST,
    )
    await take(stream, 1)
    assert fake.streams == [
        AgentEventsRequest(
            tenant="t1",
            conversation_ids=["c1"],
            kinds=[EventKind.EVENT_KIND_MESSAGE],
            cursor=b"0",
            include_echoes=True,
            include_raw=True,
            gap_policy=GapPolicy.GAP_POLICY_EARLIEST,
        )
    ]


async def test_it_resumes_from_the_last_cursor_after_a_break(
    fake: Fake, chatbridge: Chatbridge, caplog: pytest.LogCaptureFixture
) -> None:
    fake.connections = [sends(b"1", b"2", then=UNAVAILABLE), UNAVAILABLE, sends(b"3", then=hangs())]
    stream = chatbridge.agent_events(["c1"], start=StartPosition.START_POSITION_EARLIEST)
    assert await take(stream, 3) == [b"1", b"2", b"3"]
    first, *rest = fake.streams
    assert first.position == StartPosition.START_POSITION_EARLIEST
    assert [request.cursor for request in rest] == [b"2", b"2"]
    assert [list(request.conversation_ids) for request in rest] == [["c1"], ["c1"]]
    assert stream.cursor == b"3"
    assert [record.name for record in caplog.records] == ["chatbridge", "chatbridge"]


async def test_it_resumes_from_its_start_where_nothing_came_before_the_break(
    fake: Fake, chatbridge: Chatbridge
) -> None:
    start = datetime(2026, 1, 2, tzinfo=timezone.utc)
    fake.connections = [UNAVAILABLE, sends(b"1")]
    await take(chatbridge.agent_events(start=start), 1)
    assert [request.time.ToDatetime(timezone.utc) for request in fake.streams] == [start, start]


async def test_it_connects_again_at_once_when_the_server_says_now(fake: Fake, chatbridge: Chatbridge) -> None:
    now = Ending(
        reason=EndingReason.ENDING_REASON_MAX_AGE,
        reconnect=ReconnectAdvice.RECONNECT_ADVICE_NOW,
        retry_after=Duration(seconds=3600),
    )
    fake.connections = [sends(b"1", then=ends(b"2", now)), sends(b"3", then=hangs())]
    assert await take(chatbridge.agent_events(), 3) == [b"1", b"2", b"3"]
    assert fake.streams[1].cursor == b"2"


async def test_it_waits_when_the_server_says_later(fake: Fake, chatbridge: Chatbridge) -> None:
    later = Ending(reconnect=ReconnectAdvice.RECONNECT_ADVICE_LATER, retry_after=Duration(nanos=300_000_000))
    fake.connections = [ends(b"1", later), sends(b"2", then=hangs())]
    stream = chatbridge.agent_events()
    await take(stream, 1)
    began_s = asyncio.get_running_loop().time()
    await take(stream, 1)
    assert asyncio.get_running_loop().time() - began_s >= 0.3


async def test_it_raises_when_the_server_says_never(fake: Fake, chatbridge: Chatbridge) -> None:
    never = Ending(reason=EndingReason.ENDING_REASON_UNAUTHORIZED, reconnect=ReconnectAdvice.RECONNECT_ADVICE_NEVER)
    fake.connections = [ends(b"1", never)]
    stream = chatbridge.agent_events()
    await take(stream, 1)
    with pytest.raises(StreamEndedError) as caught:
        await take(stream, 1)
    assert caught.value.code is grpc.StatusCode.PERMISSION_DENIED
    assert caught.value.reason == "ENDING_REASON_UNAUTHORIZED"
    assert caught.value.ending == never
    with pytest.raises(StopAsyncIteration):
        await take(stream, 1)


async def test_it_resumes_where_the_server_closed_without_a_word(fake: Fake, chatbridge: Chatbridge) -> None:
    fake.connections = [sends(b"1"), sends(b"2", then=hangs())]
    assert await take(chatbridge.agent_events(), 2) == [b"1", b"2"]


@pytest.mark.parametrize("code", [grpc.StatusCode.OUT_OF_RANGE, grpc.StatusCode.RESOURCE_EXHAUSTED])
async def test_it_raises_what_connecting_again_cannot_mend(
    fake: Fake, chatbridge: Chatbridge, code: grpc.StatusCode
) -> None:
    fake.connections = [sends(b"1", then=fails(code))]
    stream = chatbridge.agent_events()
    with pytest.raises(ChatbridgeError) as caught:
        await take(stream, 2)
    assert caught.value.code is code
    assert len(fake.streams) == 1


async def test_without_resume_a_break_raises_and_an_ending_ends(fake: Fake, chatbridge: Chatbridge) -> None:
    now = Ending(reconnect=ReconnectAdvice.RECONNECT_ADVICE_NOW)
    fake.connections = [UNAVAILABLE, ends(b"1", now)]
    with pytest.raises(ChatbridgeError):
        await take(chatbridge.agent_events(resume=False), 1)
    cursors = [response.cursor async for response in chatbridge.agent_events(resume=False)]
    assert cursors == [b"1"]
    assert len(fake.streams) == 2


async def test_closing_it_ends_a_waiting_iteration(fake: Fake, chatbridge: Chatbridge) -> None:
    fake.connections = [sends(b"1", then=hangs())]
    stream = chatbridge.agent_events()
    await take(stream, 1)
    waiting = asyncio.ensure_future(take(stream, 1))
    for _ in range(10):  # Enough turns for it to reach the read.
        await asyncio.sleep(0)
    await stream.aclose()
    with pytest.raises(StopAsyncIteration):
        await waiting


async def test_closing_the_client_ends_a_stream_that_waits_to_connect_again(fake: Fake) -> None:
    fake.connections = [UNAVAILABLE]
    async with Chatbridge(fake.target, backoff=Backoff(initial_s=3600, maximum_s=3600)) as chatbridge:
        stream = chatbridge.agent_events()
        waiting = asyncio.ensure_future(take(stream, 1))
        while not fake.streams:  # noqa: ASYNC110 (the server has no event to wait on)
            await asyncio.sleep(0.01)
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(waiting, 5)


async def test_cancelling_a_wait_loses_nothing(fake: Fake, chatbridge: Chatbridge) -> None:
    more = asyncio.Event()

    async def later(request: AgentEventsRequest, context: Context) -> AsyncIterator[AgentEventsResponse]:
        await more.wait()
        yield heartbeat(b"2")

    fake.connections = [sends(b"1", then=later)]
    stream = chatbridge.agent_events()
    await take(stream, 1)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(stream.__anext__(), 0.05)
    more.set()
    assert await take(stream, 1) == [b"2"]
    assert len(fake.streams) == 1


async def test_it_outlives_a_restart_of_the_server() -> None:
    fake = Fake(connections=[sends(b"1", then=hangs()), sends(b"2", then=hangs())])
    async with serve(fake):
        target = fake.target
        chatbridge = await Chatbridge(target, backoff=Backoff(initial_s=0.05, maximum_s=0.1)).__aenter__()
        stream = chatbridge.agent_events()
        assert await take(stream, 1) == [b"1"]
    waiting = asyncio.ensure_future(take(stream, 1))
    async with serve(fake, target):
        assert await waiting == [b"2"]
        assert fake.streams[1].cursor == b"1"
        await chatbridge.__aexit__(None, None, None)


async def test_a_time_without_a_zone_is_refused(chatbridge: Chatbridge) -> None:
    with pytest.raises(ValueError, match="time zone"):
        chatbridge.agent_events(start=datetime(2026, 1, 2))


def test_waits_grow_up_to_their_maximum_and_are_spread() -> None:
    backoff = Backoff()
    for attempt, ceiling_s in [(0, 0.2), (1, 0.4), (5, 6.4), (6, 10), (10_000, 10)]:
        delays_s = [backoff.delay_s(attempt) for _ in range(200)]
        assert max(delays_s) <= ceiling_s
        assert max(delays_s) > ceiling_s / 2 > min(delays_s)


async def test_what_was_changed_outlives_a_break(fake: Fake, chatbridge: Chatbridge) -> None:
    """What the stream told of is asked for anew; what it did not tell of is changed anew."""

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
    stream = chatbridge.agent_events(["a", "b"], changeable=True)

    async def change() -> None:
        await stream.change(add=["c"], start=b"past", remove=["a"])
        await stream.change(add=["d"], start=StartPosition.START_POSITION_EARLIEST)

    changing = asyncio.create_task(change())
    assert await take(stream, 4) == [b"1", b"2", b"3", b"4"]
    await changing
    assert [request.changeable for request in fake.streams] == [True, True]
    assert list(fake.streams[1].conversation_ids) == ["b", "c"]
    assert [change.stream_id for change in fake.changes] == ["s1", "s1", "s2"]
    assert fake.changes[0].cursor == b"past"
    assert list(fake.changes[0].remove_conversation_ids) == ["a"]
    assert list(fake.changes[2].add_conversation_ids) == ["d"]
    assert fake.changes[2].position == StartPosition.START_POSITION_EARLIEST
    await stream.aclose()


async def test_a_stream_that_is_not_changeable_says_so(chatbridge: Chatbridge) -> None:
    """Without a call that could only fail."""
    with pytest.raises(ValueError, match="changeable"):
        await chatbridge.agent_events().change(add=["c"])
