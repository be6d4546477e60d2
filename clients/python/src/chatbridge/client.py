"""The client."""

from __future__ import annotations

import uuid
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
from google.protobuf.field_mask_pb2 import FieldMask

from chatbridge.backoff import Backoff
from chatbridge.channel import open_channel
from chatbridge.errors import ChatbridgeError
from chatbridge.events import AgentEvents
from chatbridge.messages import from_user
from chatbridge.v1 import (
    AgentEventsRequest,
    Assignment,
    AuthorType,
    Conversation,
    CreateConversationRequest,
    CreateConversationResponse,
    EndConversationRequest,
    EndConversationResponse,
    EventKind,
    GapPolicy,
    GetConversationRequest,
    GetSessionRequest,
    ListConversationsRequest,
    ListConversationsResponse,
    ListMessagesRequest,
    ListMessagesResponse,
    ListSessionsRequest,
    ListSessionsResponse,
    MessageInput,
    SendMessageRequest,
    SendMessageResponse,
    SendTypingIndicatorRequest,
    SendTypingIndicatorResponse,
    Session,
    SessionState,
    StartPosition,
    UpdateConversationRequest,
    UpdateConversationResponse,
    User,
)
from chatbridge.v1.agent_event_service_pb2_grpc import AgentEventServiceStub
from chatbridge.v1.conversation_service_pb2_grpc import ConversationServiceStub
from chatbridge.v1.session_service_pb2_grpc import SessionServiceStub

if TYPE_CHECKING:
    from chatbridge.v1.agent_event_service_pb2_grpc import AgentEventServiceAsyncStub
    from chatbridge.v1.conversation_service_pb2_grpc import ConversationServiceAsyncStub
    from chatbridge.v1.session_service_pb2_grpc import SessionServiceAsyncStub

_Request = TypeVar("_Request")
_Response = TypeVar("_Response")


@dataclass(frozen=True)
class _Connection:
    channel: grpc.aio.Channel
    conversations: ConversationServiceAsyncStub
    sessions: SessionServiceAsyncStub
    events: AgentEventServiceAsyncStub


class Chatbridge:
    """A connection to Chatbridge, for use as `async with Chatbridge("host:50051") as chatbridge`.

    Calls raise `ChatbridgeError`. Each has a `timeout` in seconds; None means the client's own.
    """

    def __init__(
        self,
        target: str,
        *,
        tenant: str = "",
        timeout: float = 15.0,
        credentials: grpc.ChannelCredentials | None = None,
        interceptors: Sequence[grpc.aio.ClientInterceptor] = (),
        options: Mapping[str, Any] | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        """Prepares a client; `async with` connects it.

        `target` is a gRPC target such as `host:port`. `tenant` is the tenant of every call; empty: the caller's only
        one. `timeout` is the deadline of each call in seconds. Without `credentials` nothing is encrypted. `options`
        are gRPC channel arguments that add to or replace the client's own. `backoff` is how streams resume.
        """
        self._target = target
        self._tenant = tenant
        self._timeout = timeout
        self._credentials = credentials
        self._interceptors = interceptors
        self._options = options or {}
        self._backoff = backoff or Backoff()
        self._connected: _Connection | None = None
        self._streams: weakref.WeakSet[AgentEvents] = weakref.WeakSet()

    async def __aenter__(self) -> Chatbridge:
        """Opens the channel; the connection itself is made by the first call."""
        channel = open_channel(self._target, self._credentials, self._interceptors, self._options)
        self._connected = _Connection(
            channel=channel,
            conversations=ConversationServiceStub(channel),
            sessions=SessionServiceStub(channel),
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

    @property
    def channel(self) -> grpc.aio.Channel:
        """The gRPC channel, for stubs of one's own."""
        return self._connection.channel

    @property
    def _connection(self) -> _Connection:
        if self._connected is None:
            raise RuntimeError("the client is not open: use it inside `async with Chatbridge(...)`")
        return self._connected

    async def create_conversation(
        self,
        channel_id: str,
        *,
        user: User,
        assignment: Assignment | None = None,
        history: Iterable[MessageInput] = (),
        labels: Mapping[str, str] | None = None,
        request_id: str = "",
        timeout: float | None = None,
    ) -> CreateConversationResponse:
        """Starts a conversation, with the transcript and the context that the agent should see.

        Await what comes of it with `agent_events(start=response.cursor)`. `request_id` is a UUID that makes a repeat
        harmless; empty: a new one.
        """
        request = CreateConversationRequest(
            tenant=self._tenant,
            request_id=request_id or str(uuid.uuid4()),
            channel_id=channel_id,
            user=user,
            assignment=assignment,
            history=history,
            labels=labels,
        )
        return await self._call(self._connection.conversations.CreateConversation, request, timeout)

    async def get_conversation(self, conversation_id: str, *, timeout: float | None = None) -> Conversation:
        """Reads a conversation from the vendor."""
        request = GetConversationRequest(tenant=self._tenant, conversation_id=conversation_id)
        return (await self._call(self._connection.conversations.GetConversation, request, timeout)).conversation

    async def list_conversations(
        self,
        *,
        page_size: int = 0,
        page_token: str = "",
        filter: str = "",  # noqa: A002 (the contract's word)
        order_by: str = "",
        timeout: float | None = None,
    ) -> ListConversationsResponse:
        """Reads one page of the tenant's conversations from the vendor. `filter` is FIQL."""
        request = ListConversationsRequest(
            tenant=self._tenant, page_size=page_size, page_token=page_token, filter=filter, order_by=order_by
        )
        return await self._call(self._connection.conversations.ListConversations, request, timeout)

    async def update_conversation(
        self,
        conversation_id: str,
        *,
        user: User | None = None,
        assignment: Assignment | None = None,
        update_mask: Iterable[str] | None = None,
        timeout: float | None = None,
    ) -> UpdateConversationResponse:
        """Changes the customer's data or the assignment; an event tells the outcome.

        `update_mask` names what to change, such as `user.language`; None: whatever of `user` and `assignment` is
        given, as a whole.
        """
        if update_mask is None:
            given = {"user": user, "assignment": assignment}
            update_mask = [name for name, value in given.items() if value is not None]
        request = UpdateConversationRequest(
            tenant=self._tenant,
            conversation_id=conversation_id,
            conversation=Conversation(user=user, assignment=assignment),
            update_mask=FieldMask(paths=update_mask),
        )
        return await self._call(self._connection.conversations.UpdateConversation, request, timeout)

    async def end_conversation(
        self, conversation_id: str, *, timeout: float | None = None
    ) -> EndConversationResponse:
        """Ends the current interaction on the customer's behalf; a new message starts another."""
        request = EndConversationRequest(tenant=self._tenant, conversation_id=conversation_id)
        return await self._call(self._connection.conversations.EndConversation, request, timeout)

    async def send_message(
        self,
        conversation_id: str,
        message: MessageInput | str,
        *,
        request_id: str = "",
        timeout: float | None = None,
    ) -> SendMessageResponse:
        """Sends a message; a `str` is sent as the customer's text.

        `request_id` is a UUID that makes a repeat harmless and comes back on the echo; empty: a new one.
        """
        request = SendMessageRequest(
            tenant=self._tenant,
            conversation_id=conversation_id,
            request_id=request_id or str(uuid.uuid4()),
            message=from_user(message) if isinstance(message, str) else message,
        )
        return await self._call(self._connection.conversations.SendMessage, request, timeout)

    async def list_messages(
        self,
        conversation_id: str,
        *,
        page_size: int = 0,
        page_token: str = "",
        order_by: str = "",
        timeout: float | None = None,
    ) -> ListMessagesResponse:
        """Reads one page of a conversation's messages from the vendor, the newest first unless `order_by` says."""
        request = ListMessagesRequest(
            tenant=self._tenant,
            conversation_id=conversation_id,
            page_size=page_size,
            page_token=page_token,
            order_by=order_by,
        )
        return await self._call(self._connection.conversations.ListMessages, request, timeout)

    async def send_typing_indicator(
        self,
        conversation_id: str,
        author_type: AuthorType.ValueType = AuthorType.AUTHOR_TYPE_USER,
        *,
        timeout: float | None = None,
    ) -> SendTypingIndicatorResponse:
        """Shows the agent that the customer, or the bot, is typing."""
        request = SendTypingIndicatorRequest(
            tenant=self._tenant, conversation_id=conversation_id, author_type=author_type
        )
        return await self._call(self._connection.conversations.SendTypingIndicator, request, timeout)

    async def get_session(self, conversation_id: str, *, timeout: float | None = None) -> Session:
        """Reads what Chatbridge itself knows of a conversation."""
        request = GetSessionRequest(tenant=self._tenant, conversation_id=conversation_id)
        return (await self._call(self._connection.sessions.GetSession, request, timeout)).session

    async def list_sessions(
        self,
        *,
        states: Iterable[SessionState.ValueType] = (),
        page_size: int = 0,
        page_token: str = "",
        timeout: float | None = None,
    ) -> ListSessionsResponse:
        """Reads one page of the tenant's sessions, the last active first. No `states`: all."""
        request = ListSessionsRequest(tenant=self._tenant, states=states, page_size=page_size, page_token=page_token)
        return await self._call(self._connection.sessions.ListSessions, request, timeout)

    def agent_events(
        self,
        conversation_ids: Iterable[str] = (),
        *,
        kinds: Iterable[EventKind.ValueType] = (),
        start: bytes | datetime | StartPosition.ValueType = StartPosition.START_POSITION_LATEST,
        include_echoes: bool = False,
        include_raw: bool = False,
        gap_policy: GapPolicy.ValueType = GapPolicy.GAP_POLICY_UNSPECIFIED,
        resume: bool = True,
    ) -> AgentEvents:
        """Streams what happens: every response, with its cursor, until the caller stops.

        No `conversation_ids` means all of the tenant's; no `kinds`, all. `start` is a cursor, a time (a `datetime`
        with a zone) or an end of the log. With `resume` the stream connects again after a break, from the last
        response that was taken; without it, a break raises and an ending ends the iteration.
        """
        request = AgentEventsRequest(
            tenant=self._tenant,
            conversation_ids=conversation_ids,
            kinds=kinds,
            include_echoes=include_echoes,
            include_raw=include_raw,
            gap_policy=gap_policy,
        )
        _set_start(request, start)
        rpc = self._connection.events.AgentEvents
        stream = AgentEvents(lambda request: rpc(request), request, resume=resume, backoff=self._backoff)
        self._streams.add(stream)
        return stream

    async def _call(
        self,
        rpc: grpc.aio.UnaryUnaryMultiCallable[_Request, _Response],
        request: _Request,
        timeout: float | None,
    ) -> _Response:
        try:
            return await rpc(request, timeout=self._timeout if timeout is None else timeout)
        except grpc.aio.AioRpcError as error:
            raise ChatbridgeError.from_rpc(error) from error


def _set_start(request: AgentEventsRequest, start: bytes | datetime | StartPosition.ValueType) -> None:
    if isinstance(start, bytes):
        request.cursor = start
    elif isinstance(start, datetime):
        if start.tzinfo is None:
            raise ValueError("start needs a time zone, such as datetime.now(timezone.utc)")
        request.time.FromDatetime(start)
    else:
        request.position = start
