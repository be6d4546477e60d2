"""What all calls have in common: connection, deadlines, errors, pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import grpc

from chatbridge.errors import ChatbridgeError

if TYPE_CHECKING:
    from chatbridge.v1.agent_event_service_pb2_grpc import AgentEventServiceAsyncStub
    from chatbridge.v1.attachment_service_pb2_grpc import AttachmentServiceAsyncStub
    from chatbridge.v1.conversation_service_pb2_grpc import ConversationServiceAsyncStub
    from chatbridge.v1.session_service_pb2_grpc import SessionServiceAsyncStub
    from chatbridge.v1.subscription_service_pb2_grpc import SubscriptionServiceAsyncStub

# What gRPC says of a write that failed.
_FAILED_WRITE = "Internal error from Core"

_T = TypeVar("_T")
_Request = TypeVar("_Request")
_Response = TypeVar("_Response")


class _Page(Protocol):
    @property
    def next_page_token(self) -> str: ...


_PageT = TypeVar("_PageT", bound=_Page)


@dataclass(frozen=True)
class Connection:
    """The channel and the stubs on it."""

    channel: grpc.aio.Channel
    conversations: ConversationServiceAsyncStub
    attachments: AttachmentServiceAsyncStub
    sessions: SessionServiceAsyncStub
    subscriptions: SubscriptionServiceAsyncStub
    events: AgentEventServiceAsyncStub


class Calls:
    """Makes calls over a connection and raises what they fail with."""

    def __init__(self, *, tenant: str, timeout: float, transfer_timeout: float) -> None:
        """Prepares for calls; whoever opens the connection sets it."""
        self._tenant = tenant
        self._timeout = timeout
        self._transfer_timeout = transfer_timeout
        self._connected: Connection | None = None

    @property
    def channel(self) -> grpc.aio.Channel:
        """The gRPC channel, for stubs of one's own."""
        return self._connection.channel

    @property
    def _connection(self) -> Connection:
        if self._connected is None:
            raise RuntimeError("the client is not open: use it inside `async with Chatbridge(...)`")
        return self._connected

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

    async def _send(
        self,
        rpc: grpc.aio.StreamUnaryMultiCallable[_Request, _Response],
        requests: AsyncGenerator[_Request, None],
        timeout: float | None,
    ) -> _Response:
        """Streams `requests`, no faster than the server takes them; what they raise ends the call and is raised."""
        # An iterator given to gRPC would not do: where it raises, gRPC tells of a cancelled call instead.
        call = rpc(timeout=self._transfer_timeout if timeout is None else timeout)
        statuses = _statuses(call)
        try:
            async with aclosing(requests):
                async for request in requests:
                    if not await _written(call.write(request)):
                        break
                else:
                    await _written(call.done_writing())
            return await call
        except grpc.aio.AioRpcError as error:
            raise ChatbridgeError.from_rpc(_of_the_server(statuses, error)) from error
        except BaseException:
            call.cancel()
            raise


async def _written(write: Awaitable[None]) -> bool:
    """Whether it could be written; if not, the call is over, and awaiting it tells why."""
    try:
        await write
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
        return False
    return True


def _statuses(call: grpc.aio.StreamUnaryCall[_Request, _Response]) -> list[grpc.aio.AioRpcError]:
    """Collects what the call ends with, as often as gRPC changes its mind.

    Where the server answers before everything is written, gRPC may put an error of its own, of the write that failed,
    in the place of the server's (https://github.com/grpc/grpc/issues/36066).
    """
    seen: list[grpc.aio.AioRpcError] = []

    def note(_call: object) -> None:
        code, details, trailing = _now(call.code()), _now(call.details()), _now(call.trailing_metadata())
        seen.append(grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, details))

    call.add_done_callback(note)
    return seen


def _of_the_server(statuses: list[grpc.aio.AioRpcError], error: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError:
    return next((status for status in statuses if status.details() != _FAILED_WRITE), error)


def _now(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """What a coroutine answers that has nothing to wait for any more."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return cast("_T", done.value)
    coroutine.close()
    raise RuntimeError("the call is not over")


async def pages(read: Callable[[str], Awaitable[_PageT]]) -> AsyncIterator[_PageT]:
    """Every page of a list, where `read` gives the one of a token."""
    page = await read("")
    yield page
    while page.next_page_token:
        page = await read(page.next_page_token)
        yield page
