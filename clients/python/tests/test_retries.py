"""When a call is made again, and how long it waits."""

from datetime import timedelta

import grpc
import pytest
from fake import Context, Fake, abort
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo

from chatbridge import Chatbridge, ChatbridgeError, Retries, to_queue
from chatbridge.contract import Repeats, rpc_of
from chatbridge.retries import Attempts
from chatbridge.v1 import (
    AgentEventsRequest,
    CommitCursorRequest,
    CreateConversationRequest,
    DeleteSubscriptionRequest,
    GetConversationRequest,
    SendMessageRequest,
    SendTypingIndicatorRequest,
    SubmitCardActionRequest,
    TransferConversationRequest,
)

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
DEADLINE = grpc.StatusCode.DEADLINE_EXCEEDED
ABORTED = grpc.StatusCode.ABORTED
UNKNOWN = grpc.StatusCode.UNKNOWN
SECOND = timedelta(seconds=1)


def error(code: grpc.StatusCode, reason: str = "", retry_after: timedelta | None = None) -> ChatbridgeError:
    return ChatbridgeError(code, "no", reason=reason, retry_after=retry_after)


def attempts(repeats: Repeats = Repeats.UNSAFE, *, timeout_s: float = 15.0, most: int = 4) -> Attempts:
    return Attempts(Retries(attempts=most), repeats, timeout_s, clock=lambda: 100.0)


@pytest.mark.parametrize(
    ("failure", "unsafe", "safe"),
    [
        (error(UNAVAILABLE), False, True),
        (error(UNAVAILABLE, "DRAINING"), True, True),
        (error(DEADLINE), False, False),
        (error(DEADLINE, "UPSTREAM_TIMEOUT"), True, True),
        (error(DEADLINE, "WAIT_TIMED_OUT"), False, False),
        (error(EXHAUSTED, "UPSTREAM_THROTTLED", SECOND), True, True),
        (error(EXHAUSTED, "CALLER_RATE_LIMITED", SECOND), True, True),
        (error(EXHAUSTED, "UPSTREAM_RATE_LIMITED", SECOND), True, True),
        (error(EXHAUSTED, "UPSTREAM_RATE_LIMITED"), False, False),
        (error(EXHAUSTED, "STREAM_LIMIT", SECOND), False, False),
        (error(EXHAUSTED, "", SECOND), False, False),
        (error(UNKNOWN, "UPSTREAM_OUTCOME_UNKNOWN"), False, False),
        (error(UNKNOWN), False, False),
        (error(grpc.StatusCode.INTERNAL), False, False),
        (error(ABORTED, "REQUEST_IN_FLIGHT"), False, False),
        (error(ABORTED, "UPSTREAM_CONFLICT"), False, False),
        (error(grpc.StatusCode.UNAUTHENTICATED, "CREDENTIALS_EXPIRED"), False, False),
    ],
)
def test_a_first_failure_is_repeated_only_where_that_is_safe(
    failure: ChatbridgeError, unsafe: bool, safe: bool
) -> None:
    assert (attempts(Repeats.UNSAFE).wait_s(failure) is not None) == unsafe
    assert (attempts(Repeats.SAFE).wait_s(failure) is not None) == safe
    assert (attempts(Repeats.READS).wait_s(failure) is not None) == safe


def test_a_call_of_ones_own_that_may_still_run_is_waited_for() -> None:
    running = attempts()
    assert running.wait_s(error(UNAVAILABLE, "STORE_UNAVAILABLE")) is not None
    assert running.wait_s(error(ABORTED, "REQUEST_IN_FLIGHT")) is not None


def test_there_are_so_many_attempts_and_no_more() -> None:
    four = attempts()
    assert [four.wait_s(error(UNAVAILABLE, "DRAINING")) is None for _ in range(4)] == [False, False, False, True]
    assert attempts(most=1).wait_s(error(UNAVAILABLE, "DRAINING")) is None


def test_waits_grow_are_spread_and_are_at_least_what_the_server_says() -> None:
    for failed, ceiling_s in [(0, 0.1), (1, 0.2), (2, 0.4), (3, 0.8), (5, 2.0), (9, 2.0)]:
        waits_s = []
        for _ in range(100):
            call = attempts(most=20)
            for _ in range(failed):
                call.wait_s(error(UNAVAILABLE, "DRAINING"))
            wait_s = call.wait_s(error(UNAVAILABLE, "DRAINING", SECOND))
            assert wait_s is not None
            waits_s.append(wait_s - 1)
        assert 0 <= min(waits_s) < ceiling_s / 2 < max(waits_s) <= ceiling_s


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    assert attempts(timeout_s=0.5).wait_s(error(UNAVAILABLE, "DRAINING", SECOND)) is None


@pytest.mark.parametrize(
    ("request_type", "repeats"),
    [
        (GetConversationRequest, Repeats.READS),
        (SendMessageRequest, Repeats.SAFE),
        (CreateConversationRequest, Repeats.SAFE),
        (CommitCursorRequest, Repeats.SAFE),
        (SendTypingIndicatorRequest, Repeats.SAFE),
        (TransferConversationRequest, Repeats.UNSAFE),
        (SubmitCardActionRequest, Repeats.UNSAFE),
        (DeleteSubscriptionRequest, Repeats.UNSAFE),
        (AgentEventsRequest, Repeats.UNSAFE),
    ],
)
def test_the_contract_says_what_may_be_repeated(request_type: type[GetConversationRequest], repeats: Repeats) -> None:
    assert rpc_of(request_type).repeats is repeats


async def test_a_repeat_is_the_same_request_within_one_deadline(
    fake: Fake, chatbridge: Chatbridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: high)

    async def fail(context: Context) -> None:
        if len(fake.requests) < 3:
            await abort(context, UNAVAILABLE, "drains", ErrorInfo(reason="DRAINING", domain="chatbridge"))

    fake.fail = fail
    await chatbridge.send_message("c1", "Hi", timeout=8)
    first, second, third = fake.requests
    assert isinstance(first, SendMessageRequest)
    assert first.request_id
    assert first == second == third
    left_s = [left for left in fake.deadlines_s if left is not None]
    # A deadline is sent rounded up, so what is left may be a little over what was given.
    assert 8.5 > left_s[0] > left_s[2] + 0.25 > 5


async def test_an_unsafe_call_is_made_once(fake: Fake, chatbridge: Chatbridge) -> None:
    async def fail(context: Context) -> None:
        await abort(context, UNAVAILABLE, "gone")

    fake.fail = fail
    with pytest.raises(ChatbridgeError):
        await chatbridge.transfer_conversation("c1", to_queue("1"))
    assert len(fake.requests) == 1
    with pytest.raises(ChatbridgeError):
        await chatbridge.get_conversation("c1")
    assert len(fake.requests) == 5


async def test_a_proxys_reason_is_none_of_chatbridges(fake: Fake, chatbridge: Chatbridge) -> None:
    async def fail(context: Context) -> None:
        details = ErrorInfo(reason="DRAINING", domain="proxy.example"), RetryInfo(retry_delay=Duration(seconds=1))
        await abort(context, UNAVAILABLE, "gone", *details)

    fake.fail = fail
    with pytest.raises(ChatbridgeError) as caught:
        await chatbridge.transfer_conversation("c1", to_queue("1"))
    assert (caught.value.reason, caught.value.retry_after) == ("", SECOND)
    assert len(fake.requests) == 1


async def test_a_deadline_leaves_open_what_happened_unless_the_call_only_reads(
    fake: Fake, chatbridge: Chatbridge
) -> None:
    async def fail(context: Context) -> None:
        await abort(context, DEADLINE, "too late")

    fake.fail = fail
    with pytest.raises(ChatbridgeError) as caught:
        await chatbridge.send_message("c1", "Hi")
    assert caught.value.outcome_unknown
    with pytest.raises(ChatbridgeError) as caught:
        await chatbridge.get_conversation("c1")
    assert not caught.value.outcome_unknown
