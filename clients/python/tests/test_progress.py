"""What follows the end of a stream's connection, decided without one."""

import logging
import pickle
from datetime import timedelta

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from chatbridge import Backoff, ChatbridgeError, StreamEndedError, Watchdog
from chatbridge.progress import Again, Outcome, Over, Progress
from chatbridge.v1 import (
    AgentEventsRequest,
    AgentEventsResponse,
    Ending,
    EndingReason,
    Gap,
    Heartbeat,
    ReconnectAdvice,
)

NOW = ReconnectAdvice.RECONNECT_ADVICE_NOW
LATER = ReconnectAdvice.RECONNECT_ADVICE_LATER
NEVER = ReconnectAdvice.RECONNECT_ADVICE_NEVER


class Clock:
    """Stands still until it is moved."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Fixed(Backoff):
    """Without chance."""

    def delay_s(self, attempt: int) -> float:
        return float(attempt + 1)


def progress(clock: Clock, *, resume: bool = True, token_can_change: bool = False) -> Progress:
    return Progress(
        AgentEventsRequest(cursor=b"start"),
        resume=resume,
        token_can_change=token_can_change,
        backoff=Fixed(),
        watchdog=Watchdog(),
        clock=clock,
    )


def failure(code: grpc.StatusCode, reason: str = "", retry_after: timedelta | None = None) -> ChatbridgeError:
    return ChatbridgeError(code, "broken", reason=reason, retry_after=retry_after)


def beat(cursor: bytes, interval_s: int = 0) -> AgentEventsResponse:
    return AgentEventsResponse(cursor=cursor, heartbeat=Heartbeat(interval=Duration(seconds=interval_s)))


def ending(reconnect: ReconnectAdvice.ValueType, *, reason: int = 1, retry_after_s: int = 0) -> AgentEventsResponse:
    end = Ending(reason=EndingReason.ValueType(reason), reconnect=reconnect)
    end.retry_after.seconds = retry_after_s
    return AgentEventsResponse(cursor=b"end", ending=end)


def wait_s(outcome: Outcome | None) -> float | None:
    """How long an outcome waits, by the clock's first time; None: it is over."""
    assert outcome is not None
    return outcome.at_s - 1000.0 if isinstance(outcome, Again) else None


@pytest.mark.parametrize(
    ("code", "reason", "retry_after", "expected_s"),
    [
        (grpc.StatusCode.UNAVAILABLE, "", None, 1),
        (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE", timedelta(seconds=5), 6),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "STREAM_LIMIT", timedelta(seconds=5), 6),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "", None, None),
        (grpc.StatusCode.UNKNOWN, "", None, 1),
        (grpc.StatusCode.INTERNAL, "", None, 1),
        (grpc.StatusCode.CANCELLED, "", None, 1),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "", None, 1),
        (grpc.StatusCode.INTERNAL, "STORE_CORRUPT", None, None),
        (grpc.StatusCode.OUT_OF_RANGE, "CURSOR_GAP", None, None),
        (grpc.StatusCode.NOT_FOUND, "TENANT_UNKNOWN", None, None),
        (grpc.StatusCode.UNAUTHENTICATED, "CREDENTIALS_EXPIRED", None, None),
    ],
)
def test_what_is_a_break_is_mended_and_all_else_is_raised(
    code: grpc.StatusCode, reason: str, retry_after: timedelta | None, expected_s: float | None
) -> None:
    error = failure(code, reason, retry_after)
    outcome = progress(Clock()).failed(error)
    assert wait_s(outcome) == expected_s
    if expected_s is None:
        assert outcome == Over(error)
    assert progress(Clock(), resume=False).failed(error) == Over(error)


def test_refused_credentials_are_asked_for_three_times_where_they_can_change() -> None:
    stream = progress(Clock(), token_can_change=True)
    refused = failure(grpc.StatusCode.UNAUTHENTICATED, "CREDENTIALS_EXPIRED")
    for _ in range(2):
        assert all(isinstance(stream.failed(refused), Again) for _ in range(3))
        stream.received(beat(b"1"))
    assert all(isinstance(stream.failed(refused), Again) for _ in range(3))
    assert stream.failed(refused) == Over(refused)


def test_waits_grow_until_a_connection_held() -> None:
    clock = Clock()
    stream = progress(clock)
    broken = failure(grpc.StatusCode.UNAVAILABLE)
    assert [wait_s(stream.failed(broken)) for _ in range(3)] == [1, 2, 3]
    for held_s, expected_s in [(4.9, 4.0), (5.0, 1.0)]:
        stream.opened()
        # Silence before the first response is not holding.
        clock.now_s += 60
        stream.received(beat(b"1"))
        clock.now_s += held_s
        outcome = stream.failed(broken)
        assert isinstance(outcome, Again)
        assert outcome.at_s - clock.now_s == expected_s


def test_it_goes_on_behind_what_was_received_and_a_subscription_by_itself() -> None:
    stream = progress(Clock())
    stream.received(beat(b"1"))
    stream.received(AgentEventsResponse())
    assert stream.request.cursor == b"1"
    named = Progress(
        AgentEventsRequest(subscription="orders"),
        resume=True,
        token_can_change=False,
        backoff=Fixed(),
        watchdog=Watchdog(),
    )
    named.received(beat(b"1"))
    assert named.request.WhichOneof("start") is None


def test_silence_is_measured_by_what_the_heartbeat_told() -> None:
    stream = progress(Clock())
    stream.opened()
    assert stream.silence_s == 10
    stream.received(beat(b"1"))
    assert stream.silence_s == 40
    stream.received(beat(b"2", interval_s=3))
    assert stream.silence_s == 6
    outcome = stream.fell_silent()
    assert isinstance(outcome, Again)
    assert outcome.over_a_new_connection
    stream.opened()
    assert stream.silence_s == 10
    stream.received(beat(b"3"))
    assert stream.silence_s == 6


def test_an_ending_says_whether_and_when_to_come_back() -> None:
    stream = progress(Clock())
    for _ in range(3):
        stream.failed(failure(grpc.StatusCode.UNAVAILABLE))
    assert wait_s(stream.received(ending(NOW))) == 1
    assert wait_s(stream.received(ending(LATER, retry_after_s=7))) == 8
    outcome = stream.received(ending(NEVER, reason=EndingReason.ENDING_REASON_TAKEN_OVER))
    assert isinstance(outcome, Over)
    assert isinstance(outcome.error, StreamEndedError)
    assert (outcome.error.code, outcome.error.reason) == (
        grpc.StatusCode.ABORTED,
        "ENDING_REASON_TAKEN_OVER",
    )
    outcome = stream.received(ending(NEVER, reason=EndingReason.ENDING_REASON_UNAUTHORIZED))
    assert isinstance(outcome, Over)
    assert isinstance(outcome.error, StreamEndedError)
    assert outcome.error.code is grpc.StatusCode.PERMISSION_DENIED


def test_errors_reach_other_processes_whole() -> None:
    refused = pickle.loads(pickle.dumps(failure(grpc.StatusCode.INTERNAL, "STORE_CORRUPT", timedelta(seconds=1))))
    assert (refused.code, refused.reason, refused.retry_after) == (
        grpc.StatusCode.INTERNAL,
        "STORE_CORRUPT",
        timedelta(seconds=1),
    )
    ended = pickle.loads(pickle.dumps(StreamEndedError(ending(NEVER).ending)))
    assert ended.ending == ending(NEVER).ending


def test_without_resuming_an_ending_ends_and_silence_and_an_end_without_a_word_are_breaks() -> None:
    stream = progress(Clock(), resume=False)
    assert stream.received(ending(NEVER)) == Over()
    for outcome in (stream.ended(), stream.fell_silent()):
        assert isinstance(outcome, Over)
        assert isinstance(outcome.error, ChatbridgeError)
        assert outcome.error.code is grpc.StatusCode.UNAVAILABLE


def test_a_gap_is_a_response_like_others() -> None:
    assert progress(Clock()).received(AgentEventsResponse(cursor=b"1", gap=Gap())) is None


def test_a_break_is_told_once_with_why_and_how_long(caplog: pytest.LogCaptureFixture) -> None:
    stream = progress(Clock())
    stream.received(beat(b"a-cursor"))
    with caplog.at_level(logging.INFO, "chatbridge"):
        stream.failed(failure(grpc.StatusCode.UNAVAILABLE, "DRAINING"))
    (record,) = caplog.records
    assert record.name == "chatbridge"
    assert "1.0 s" in record.getMessage()
    assert "DRAINING" in record.getMessage()
    assert "a-cursor" not in record.getMessage()
