# Written from subscriptions.py by tools/synchronous.py: change that instead.
"""Named subscriptions, whose place in the log Chatbridge keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration

from chatbridge.start import Start, set_start
from chatbridge.sync.calls import Calls, pages
from chatbridge.v1 import (
    ChangeAgentEventsRequest,
    ChangeAgentEventsResponse,
    CommitCursorRequest,
    CommitCursorResponse,
    CreateSubscriptionRequest,
    CreateSubscriptionResponse,
    DeleteSubscriptionRequest,
    DeleteSubscriptionResponse,
    EventKind,
    GetSubscriptionRequest,
    GetSubscriptionResponse,
    ListSubscriptionsRequest,
    ListSubscriptionsResponse,
    StartPosition,
    Subscription,
    SubscriptionType,
)


class SubscriptionCalls(Calls):
    """Calls of `SubscriptionService`, and those of `AgentEventService` that are no stream."""

    def create_subscription(
        self,
        name: str,
        kind: SubscriptionType.ValueType,
        *,
        conversation_ids: Iterable[str] = (),
        kinds: Iterable[EventKind.ValueType] = (),
        include_echoes: bool = False,
        start: Start = StartPosition.START_POSITION_LATEST,
        lease: timedelta | None = None,
        tenant: str = "",
        timeout: float | None = None,
    ) -> Subscription:
        """Creates a subscription, or answers the one that was created with the same definition.

        `start` is a cursor, a time (a `datetime` with a zone) or an end of the log, counted from the creation.
        Without `lease` it is the service's default.
        """
        subscription = Subscription(
            name=name,
            type=kind,
            conversation_ids=conversation_ids,
            kinds=kinds,
            include_echoes=include_echoes,
        )
        set_start(subscription, start)
        if lease is not None:
            wanted = Duration()
            wanted.FromTimedelta(lease)
            subscription.lease.CopyFrom(wanted)
        request = CreateSubscriptionRequest(tenant=tenant, subscription=subscription)
        return self._call(request, CreateSubscriptionResponse, timeout).subscription

    def get_subscription(self, name: str, *, tenant: str = "", timeout: float | None = None) -> Subscription:
        """Reads a subscription with its members and how far behind it is."""
        request = GetSubscriptionRequest(tenant=tenant, name=name)
        return self._call(request, GetSubscriptionResponse, timeout).subscription

    def list_subscriptions(
        self, *, page_size: int = 0, page_token: str = "", tenant: str = "", timeout: float | None = None
    ) -> ListSubscriptionsResponse:
        """Reads one page of the tenant's subscriptions, in the order of their names."""
        request = ListSubscriptionsRequest(tenant=tenant, page_size=page_size, page_token=page_token)
        return self._call(request, ListSubscriptionsResponse, timeout)

    def iterate_subscriptions(
        self, *, page_size: int = 100, tenant: str = "", timeout: float | None = None
    ) -> Iterator[Subscription]:
        """Every subscription, page after page; `timeout` is that of each page."""
        for page in pages(
            lambda token: self.list_subscriptions(
                page_size=page_size, page_token=token, tenant=tenant, timeout=timeout
            )
        ):
            for subscription in page.subscriptions:
                yield subscription

    def delete_subscription(self, name: str, *, tenant: str = "", timeout: float | None = None) -> None:
        """Deletes a subscription with its place in the log; its streams end."""
        request = DeleteSubscriptionRequest(tenant=tenant, name=name)
        self._call(request, DeleteSubscriptionResponse, timeout)

    def commit_cursor(
        self, subscription: str, cursor: bytes, *, tenant: str = "", timeout: float | None = None
    ) -> bool:
        """Says that a subscription's events were processed up to the cursor of a response; whether its place moved.

        Raises `ChatbridgeError` with the reason `CURSOR_SUPERSEDED` where another stream has taken over and gets
        these events again.
        """
        request = CommitCursorRequest(tenant=tenant, subscription=subscription, cursor=cursor)
        return self._call(request, CommitCursorResponse, timeout).moved

    def change_agent_events(
        self,
        stream_id: str,
        *,
        add: Iterable[str] = (),
        start: Start = StartPosition.START_POSITION_LATEST,
        remove: Iterable[str] = (),
        tenant: str = "",
        timeout: float | None = None,
    ) -> int:
        """Changes the conversations of a stream that anybody has open, and answers the number of the change.

        `stream_id` is what the stream's first heartbeat told. For a stream of one's own there is
        `AgentEvents.change`, which keeps the change over breaks.
        """
        request = ChangeAgentEventsRequest(
            tenant=tenant, stream_id=stream_id, add_conversation_ids=add, remove_conversation_ids=remove
        )
        set_start(request, start)
        return self._call(request, ChangeAgentEventsResponse, timeout).revision
