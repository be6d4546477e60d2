"""The client."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any

import grpc

from chatbridge.attachments import AttachmentCalls
from chatbridge.backoff import Backoff
from chatbridge.calls import Connection
from chatbridge.channel import open_channel
from chatbridge.conversations import ConversationCalls
from chatbridge.events import AgentEvents, set_start
from chatbridge.messaging import MessageCalls
from chatbridge.sessions import SessionCalls
from chatbridge.subscriptions import SubscriptionCalls
from chatbridge.token import Token, token_interceptors
from chatbridge.v1 import (
    AgentEventsRequest,
    ChangeAgentEventsRequest,
    EventKind,
    GapPolicy,
    StartPosition,
)
from chatbridge.v1.agent_event_service_pb2_grpc import AgentEventServiceStub
from chatbridge.v1.attachment_service_pb2_grpc import AttachmentServiceStub
from chatbridge.v1.conversation_service_pb2_grpc import ConversationServiceStub
from chatbridge.v1.session_service_pb2_grpc import SessionServiceStub
from chatbridge.v1.subscription_service_pb2_grpc import SubscriptionServiceStub


class Chatbridge(ConversationCalls, MessageCalls, AttachmentCalls, SessionCalls, SubscriptionCalls):
    """A connection to Chatbridge, for use as `async with Chatbridge("host:50051") as chatbridge`.

    Calls raise `ChatbridgeError`. Each has a `timeout` in seconds; None means the client's own.
    """

    def __init__(
        self,
        target: str,
        *,
        tenant: str = "",
        timeout: float = 15.0,
        transfer_timeout: float = 600.0,
        token: Token | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        interceptors: Sequence[grpc.aio.ClientInterceptor] = (),
        options: Mapping[str, Any] | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        """Prepares a client; `async with` connects it.

        `target` is a gRPC target such as `host:port`. `tenant` is the tenant of every call; empty: the caller's only
        one. `timeout` is the deadline of each call in seconds, `transfer_timeout` that of one which carries files.
        `token` is what the operator gave the caller, or a function that gives the one that is good now, as for web
        tokens that expire: it is asked before every call and whenever a stream connects, and may be a coroutine
        function. Without `credentials` nothing is encrypted, the token neither. `options` are gRPC channel arguments
        that add to or replace the client's own. `backoff` is how streams resume.
        """
        super().__init__(tenant=tenant, timeout=timeout, transfer_timeout=transfer_timeout)
        self._target = target
        self._credentials = credentials
        self._interceptors = [*interceptors, *(token_interceptors(token) if token else [])]
        self._options = options or {}
        self._backoff = backoff or Backoff()
        self._streams: weakref.WeakSet[AgentEvents] = weakref.WeakSet()

    async def __aenter__(self) -> Chatbridge:
        """Opens the channel; the connection itself is made by the first call."""
        channel = open_channel(self._target, self._credentials, self._interceptors, self._options)
        self._connected = Connection(
            channel=channel,
            conversations=ConversationServiceStub(channel),
            attachments=AttachmentServiceStub(channel),
            sessions=SessionServiceStub(channel),
            subscriptions=SubscriptionServiceStub(channel),
            events=AgentEventServiceStub(channel),
        )
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends the streams and closes the channel."""
        for stream in list(self._streams):
            await stream.aclose()
        await self._connection.channel.close()
        self._connected = None

    def agent_events(
        self,
        conversation_ids: Iterable[str] = (),
        *,
        kinds: Iterable[EventKind.ValueType] = (),
        start: bytes | datetime | StartPosition.ValueType = StartPosition.START_POSITION_LATEST,
        include_echoes: bool = False,
        include_raw: bool = False,
        gap_policy: GapPolicy.ValueType = GapPolicy.GAP_POLICY_UNSPECIFIED,
        changeable: bool = False,
        resume: bool = True,
    ) -> AgentEvents:
        """Streams what happens: every response, with its cursor, until the caller stops.

        No `conversation_ids` means all of the tenant's; no `kinds`, all. `start` is a cursor, a time (a `datetime`
        with a zone) or an end of the log. With `resume` the stream connects again after a break, from the last
        response that was taken; without it, a break raises and an ending ends the iteration. One that is `changeable`
        has the conversations that are named and no others, and `AgentEvents.change` adds and takes off.
        """
        request = AgentEventsRequest(
            tenant=self._tenant,
            conversation_ids=conversation_ids,
            kinds=kinds,
            include_echoes=include_echoes,
            include_raw=include_raw,
            gap_policy=gap_policy,
            changeable=changeable,
        )
        set_start(request, start)
        return self._stream(request, resume)

    def subscription_events(
        self,
        subscription: str,
        *,
        member_name: str = "",
        max_uncommitted: int = 0,
        include_raw: bool = False,
        gap_policy: GapPolicy.ValueType = GapPolicy.GAP_POLICY_UNSPECIFIED,
        resume: bool = True,
    ) -> AgentEvents:
        """Streams the events of a named subscription from its committed place on: see `commit_cursor`.

        With `resume` the stream connects again after a break, and goes on behind what was committed by then.
        `max_uncommitted` is how many events of a shared subscription may be under way; 0: the service's default.
        """
        request = AgentEventsRequest(
            tenant=self._tenant,
            subscription=subscription,
            member_name=member_name,
            max_uncommitted=max_uncommitted,
            include_raw=include_raw,
            gap_policy=gap_policy,
        )
        return self._stream(request, resume)

    def _stream(self, request: AgentEventsRequest, resume: bool) -> AgentEvents:
        rpcs = self._connection.events

        async def change(request: ChangeAgentEventsRequest) -> int:
            return (await self._call(rpcs.ChangeAgentEvents, request, None)).revision

        stream = AgentEvents(
            lambda request: rpcs.AgentEvents(request), change, request, resume=resume, backoff=self._backoff
        )
        self._streams.add(stream)
        return stream
