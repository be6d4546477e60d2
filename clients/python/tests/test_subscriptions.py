"""Named subscriptions."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone

import grpc
import pytest
from fake import Context, Fake, abort, heartbeat
from google.rpc.error_details_pb2 import ErrorInfo

from chatbridge import Chatbridge, ChatbridgeError
from chatbridge.v1 import (
    AgentEventsRequest,
    AgentEventsResponse,
    CommitCursorRequest,
    CreateSubscriptionRequest,
    DeleteSubscriptionRequest,
    EventKind,
    SubscriptionType,
)


async def test_a_definition_is_sent_as_it_was_given(fake: Fake, chatbridge: Chatbridge) -> None:
    created = await chatbridge.create_subscription(
        "orders",
        SubscriptionType.SUBSCRIPTION_TYPE_DURABLE,
        conversation_ids=["c1"],
        kinds=[EventKind.EVENT_KIND_MESSAGE],
        start=datetime(2026, 1, 2, tzinfo=timezone.utc),
        lease=timedelta(seconds=5),
    )
    (request,) = fake.requests
    assert isinstance(request, CreateSubscriptionRequest)
    assert request.tenant == "t1"
    assert request.subscription == created
    assert (created.name, list(created.conversation_ids), created.lease.seconds) == ("orders", ["c1"], 5)
    assert created.time.ToDatetime(timezone.utc) == datetime(2026, 1, 2, tzinfo=timezone.utc)


async def test_subscriptions_are_read_listed_and_deleted(fake: Fake, chatbridge: Chatbridge) -> None:
    assert (await chatbridge.get_subscription("orders")).lag_at_most == 7
    names = [subscription.name async for subscription in chatbridge.iterate_subscriptions()]
    assert names == ["s2", "s3"]
    await chatbridge.delete_subscription("orders")
    last = fake.requests[-1]
    assert isinstance(last, DeleteSubscriptionRequest)
    assert last.name == "orders"


async def test_a_stream_resumes_without_a_cursor(fake: Fake, chatbridge: Chatbridge) -> None:
    async def once(request: AgentEventsRequest, context: Context) -> AsyncIterator[AgentEventsResponse]:
        yield heartbeat(b"a place")

    fake.connections = [once, once]
    seen: list[bytes] = []
    async with chatbridge.subscription_events("orders", member_name="w1", max_uncommitted=5) as stream:
        async for response in stream:
            seen.append(response.cursor)
            if len(seen) == 2:
                break
    for request in fake.streams:
        assert (request.subscription, request.member_name, request.max_uncommitted) == ("orders", "w1", 5)
        assert request.WhichOneof("start") is None


async def test_a_commit_says_whether_it_moved_and_raises_what_was_taken_over(
    fake: Fake, chatbridge: Chatbridge
) -> None:
    assert await chatbridge.commit_cursor("orders", b"here")
    (request,) = fake.requests
    assert isinstance(request, CommitCursorRequest)
    assert (request.tenant, request.subscription, request.cursor) == ("t1", "orders", b"here")

    async def superseded(context: Context) -> None:
        await abort(
            context, grpc.StatusCode.ABORTED, "gone", ErrorInfo(reason="CURSOR_SUPERSEDED", domain="chatbridge")
        )

    fake.fail = superseded
    with pytest.raises(ChatbridgeError) as raised:
        await chatbridge.commit_cursor("orders", b"here")
    assert raised.value.reason == "CURSOR_SUPERSEDED"
