"""A Chatbridge that answers as a test tells it to, over real gRPC on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from chatbridge.v1 import (
    AgentEventsRequest,
    AgentEventsResponse,
    Attachment,
    ChangeAgentEventsRequest,
    ChangeAgentEventsResponse,
    CommitCursorRequest,
    CommitCursorResponse,
    Conversation,
    CreateConversationRequest,
    CreateConversationResponse,
    CreatePostAgentAssignmentRequest,
    CreatePostAgentAssignmentResponse,
    CreateSubscriptionRequest,
    CreateSubscriptionResponse,
    DeleteSubscriptionRequest,
    DeleteSubscriptionResponse,
    DownloadAttachmentRequest,
    DownloadAttachmentResponse,
    FindOrCreateConversationRequest,
    FindOrCreateConversationResponse,
    GetConversationRequest,
    GetConversationResponse,
    GetSubscriptionRequest,
    GetSubscriptionResponse,
    HandOverConversationRequest,
    HandOverConversationResponse,
    Heartbeat,
    ListConversationsRequest,
    ListConversationsResponse,
    ListSubscriptionsRequest,
    ListSubscriptionsResponse,
    SendMessageRequest,
    SendMessageResponse,
    Subscription,
    TransferConversationRequest,
    TransferConversationResponse,
    UpdateConversationRequest,
    UpdateConversationResponse,
    UploadAttachmentRequest,
    UploadAttachmentResponse,
)
from chatbridge.v1.agent_event_service_pb2_grpc import (
    AgentEventServiceServicer,
    add_AgentEventServiceServicer_to_server,
)
from chatbridge.v1.attachment_service_pb2_grpc import (
    AttachmentServiceServicer,
    add_AttachmentServiceServicer_to_server,
)
from chatbridge.v1.conversation_service_pb2_grpc import (
    ConversationServiceServicer,
    add_ConversationServiceServicer_to_server,
)
from chatbridge.v1.subscription_service_pb2_grpc import (
    SubscriptionServiceServicer,
    add_SubscriptionServiceServicer_to_server,
)

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Connection: TypeAlias = Callable[[AgentEventsRequest, Context], AsyncIterator[AgentEventsResponse]]


@dataclass
class Fake:
    """What the server received, and how it answers."""

    target: str = ""
    requests: list[Message] = field(default_factory=list)
    deadlines_s: list[float | None] = field(default_factory=list)
    fail: Callable[[Context], Awaitable[None]] | None = None
    """How the next calls fail; None: they succeed."""
    connections: list[Connection] = field(default_factory=list)
    """What each connection to the stream does, in turn."""
    streams: list[AgentEventsRequest] = field(default_factory=list)
    takes: int | None = None
    """How many messages of a stream of files are read before the call fails as `fail` says; None: all."""
    downloads: Callable[[Context], AsyncIterator[DownloadAttachmentResponse]] | None = None
    """What a download gives."""
    changes: list[ChangeAgentEventsRequest] = field(default_factory=list)
    changed: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    """Released at each change of a stream."""
    transfer_ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a stream of files is over."""

    async def record(self, request: Message, context: Context) -> None:
        self.requests.append(request)
        self.deadlines_s.append(context.time_remaining())
        if self.fail is not None:
            await self.fail(context)


class _Conversations(ConversationServiceServicer):
    def __init__(self, fake: Fake) -> None:
        self._fake = fake

    async def CreateConversation(  # noqa: N802
        self, request: CreateConversationRequest, context: Context
    ) -> CreateConversationResponse:
        await self._fake.record(request, context)
        return CreateConversationResponse(tenant=request.tenant, conversation_id="c1", cursor=b"before")

    async def SendMessage(  # noqa: N802
        self, request: SendMessageRequest, context: Context
    ) -> SendMessageResponse:
        await self._fake.record(request, context)
        return SendMessageResponse()

    async def GetConversation(  # noqa: N802
        self, request: GetConversationRequest, context: Context
    ) -> GetConversationResponse:
        await self._fake.record(request, context)
        return GetConversationResponse()

    async def UpdateConversation(  # noqa: N802
        self, request: UpdateConversationRequest, context: Context
    ) -> UpdateConversationResponse:
        await self._fake.record(request, context)
        return UpdateConversationResponse()

    async def FindOrCreateConversation(  # noqa: N802
        self, request: FindOrCreateConversationRequest, context: Context
    ) -> FindOrCreateConversationResponse:
        await self._fake.record(request, context)
        return FindOrCreateConversationResponse(conversation=Conversation(conversation_id="c1"), created=True)

    async def TransferConversation(  # noqa: N802
        self, request: TransferConversationRequest, context: Context
    ) -> TransferConversationResponse:
        await self._fake.record(request, context)
        return TransferConversationResponse(cursor=b"before")

    async def CreatePostAgentAssignment(  # noqa: N802
        self, request: CreatePostAgentAssignmentRequest, context: Context
    ) -> CreatePostAgentAssignmentResponse:
        await self._fake.record(request, context)
        return CreatePostAgentAssignmentResponse()

    async def ListConversations(  # noqa: N802
        self, request: ListConversationsRequest, context: Context
    ) -> ListConversationsResponse:
        await self._fake.record(request, context)
        at = int(request.page_token or "0")
        page = [Conversation(conversation_id=f"c{n}") for n in range(at, min(at + request.page_size, 5))]
        return ListConversationsResponse(
            conversations=page, next_page_token=str(at + request.page_size) if at + request.page_size < 5 else ""
        )

    async def HandOverConversation(  # noqa: N802
        self, request_iterator: AsyncIterator[HandOverConversationRequest], context: Context
    ) -> HandOverConversationResponse:
        await _take(self._fake, request_iterator, context)
        return HandOverConversationResponse(conversation_id="c1", cursor=b"before")


class _Attachments(AttachmentServiceServicer):
    def __init__(self, fake: Fake) -> None:
        self._fake = fake

    async def UploadAttachment(  # noqa: N802
        self, request_iterator: AsyncIterator[UploadAttachmentRequest], context: Context
    ) -> UploadAttachmentResponse:
        await _take(self._fake, request_iterator, context)
        return UploadAttachmentResponse(attachment=Attachment(id="a1"))

    async def DownloadAttachment(  # noqa: N802
        self, request: DownloadAttachmentRequest, context: Context
    ) -> AsyncIterator[DownloadAttachmentResponse]:
        await self._fake.record(request, context)
        assert self._fake.downloads is not None
        try:
            async for response in self._fake.downloads(context):
                yield response
        finally:
            self._fake.transfer_ended.set()


async def _take(fake: Fake, requests: AsyncIterator[Message], context: Context) -> None:
    fake.deadlines_s.append(context.time_remaining())
    try:
        async for request in requests:
            fake.requests.append(request)
            if len(fake.requests) == fake.takes:
                break
    finally:
        fake.transfer_ended.set()
    if fake.fail is not None:
        await fake.fail(context)


class _Events(AgentEventServiceServicer):
    def __init__(self, fake: Fake) -> None:
        self._fake = fake

    async def AgentEvents(  # noqa: N802
        self, request: AgentEventsRequest, context: Context
    ) -> AsyncIterator[AgentEventsResponse]:
        self._fake.streams.append(request)
        connection = self._fake.connections[len(self._fake.streams) - 1]
        async for response in connection(request, context):
            yield response

    async def ChangeAgentEvents(  # noqa: N802
        self, request: ChangeAgentEventsRequest, context: Context
    ) -> ChangeAgentEventsResponse:
        await self._fake.record(request, context)
        self._fake.changes.append(request)
        self._fake.changed.release()
        of_stream = [change for change in self._fake.changes if change.stream_id == request.stream_id]
        return ChangeAgentEventsResponse(revision=len(of_stream))

    async def CommitCursor(  # noqa: N802
        self, request: CommitCursorRequest, context: Context
    ) -> CommitCursorResponse:
        await self._fake.record(request, context)
        return CommitCursorResponse(moved=True)


class _Subscriptions(SubscriptionServiceServicer):
    def __init__(self, fake: Fake) -> None:
        self._fake = fake

    async def CreateSubscription(  # noqa: N802
        self, request: CreateSubscriptionRequest, context: Context
    ) -> CreateSubscriptionResponse:
        await self._fake.record(request, context)
        return CreateSubscriptionResponse(subscription=request.subscription)

    async def GetSubscription(  # noqa: N802
        self, request: GetSubscriptionRequest, context: Context
    ) -> GetSubscriptionResponse:
        await self._fake.record(request, context)
        return GetSubscriptionResponse(subscription=Subscription(name=request.name, lag_at_most=7))

    async def ListSubscriptions(  # noqa: N802
        self, request: ListSubscriptionsRequest, context: Context
    ) -> ListSubscriptionsResponse:
        await self._fake.record(request, context)
        page = [Subscription(name=f"s{len(self._fake.requests)}")]
        return ListSubscriptionsResponse(subscriptions=page, next_page_token="" if request.page_token else "2")

    async def DeleteSubscription(  # noqa: N802
        self, request: DeleteSubscriptionRequest, context: Context
    ) -> DeleteSubscriptionResponse:
        await self._fake.record(request, context)
        return DeleteSubscriptionResponse()


@asynccontextmanager
async def serve(
    fake: Fake, listen: str = "127.0.0.1:0", credentials: grpc.ServerCredentials | None = None
) -> AsyncIterator[grpc.aio.Server]:
    """Runs `fake`; the target is filled in."""
    server = grpc.aio.server()
    # The methods that no test here calls are left as the base class has them.
    add_ConversationServiceServicer_to_server(_Conversations(fake), server)  # type: ignore[abstract]
    add_AttachmentServiceServicer_to_server(_Attachments(fake), server)  # type: ignore[abstract]
    add_AgentEventServiceServicer_to_server(_Events(fake), server)
    add_SubscriptionServiceServicer_to_server(_Subscriptions(fake), server)
    port = server.add_secure_port(listen, credentials) if credentials else server.add_insecure_port(listen)
    fake.target = f"127.0.0.1:{port}"
    await server.start()
    try:
        yield server
    finally:
        await server.stop(None)


async def abort(context: Context, code: grpc.StatusCode, message: str, *details: Message) -> None:
    """Fails the call as Chatbridge does: a `google.rpc.Status` with `details` in the trailers."""
    status = Status(code=code.value[0], message=message)
    for detail in details:
        status.details.add().Pack(detail)
    metadata = (("grpc-status-details-bin", status.SerializeToString()),)
    await context.abort(code, message, trailing_metadata=metadata)


def heartbeat(cursor: bytes) -> AgentEventsResponse:
    """A response that moves the cursor and says no more."""
    return AgentEventsResponse(cursor=cursor, heartbeat=Heartbeat())
