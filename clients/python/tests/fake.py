"""A Chatbridge that answers as a test tells it to, over real gRPC on loopback."""

from __future__ import annotations

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
    CreateConversationRequest,
    CreateConversationResponse,
    GetConversationRequest,
    GetConversationResponse,
    Heartbeat,
    SendMessageRequest,
    SendMessageResponse,
    UpdateConversationRequest,
    UpdateConversationResponse,
)
from chatbridge.v1.agent_event_service_pb2_grpc import (
    AgentEventServiceServicer,
    add_AgentEventServiceServicer_to_server,
)
from chatbridge.v1.conversation_service_pb2_grpc import (
    ConversationServiceServicer,
    add_ConversationServiceServicer_to_server,
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


@asynccontextmanager
async def serve(fake: Fake, listen: str = "127.0.0.1:0") -> AsyncIterator[grpc.aio.Server]:
    """Runs `fake`; the target is filled in."""
    server = grpc.aio.server()
    # The methods that no test here calls are left as the base class has them.
    add_ConversationServiceServicer_to_server(_Conversations(fake), server)  # type: ignore[abstract]
    add_AgentEventServiceServicer_to_server(_Events(fake), server)
    fake.target = f"127.0.0.1:{server.add_insecure_port(listen)}"
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
