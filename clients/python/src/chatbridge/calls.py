"""What all calls have in common: token, deadlines, repeats, errors, pages."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from typing import Any, Protocol, TypeVar, cast

import grpc
from google.protobuf.message import Message

from chatbridge.channels import Channels
from chatbridge.contract import Repeats, Rpc, fill_in, rpc_of
from chatbridge.errors import ChatbridgeError
from chatbridge.retries import Attempts
from chatbridge.settings import Settings
from chatbridge.token import Metadata, Token, bearer

# What gRPC says of a write that failed.
_FAILED_WRITE = "Internal error from Core"

_T = TypeVar("_T")
_Response = TypeVar("_Response", bound=Message)


class _Page(Protocol):
    @property
    def next_page_token(self) -> str: ...


_PageT = TypeVar("_PageT", bound=_Page)


class Calls:
    """Makes calls over a connection and raises what they fail with."""

    def __init__(self, settings: Settings[Token], channels: Channels) -> None:
        """Makes calls over `channels`."""
        self._settings = settings
        self._channels = channels

    async def _call(self, request: Message, response: type[_Response], timeout: float | None) -> _Response:
        """Makes a call with one request and one response, again where that is safe."""
        rpc = rpc_of(type(request))
        fill_in(request, self._settings.tenant)
        attempts = Attempts(
            self._settings.retries, rpc.repeats, self._settings.timeout_s if timeout is None else timeout
        )
        while True:
            try:
                return await self._attempt(rpc, request, response, attempts)
            except ChatbridgeError as error:
                wait_s = attempts.wait_s(error)
                if wait_s is None:
                    raise
            await asyncio.sleep(wait_s)

    async def _attempt(self, rpc: Rpc, request: Message, response: type[_Response], attempts: Attempts) -> _Response:
        metadata = await self._metadata()
        async with self._channels.borrowed() as channel:
            call = channel.unary_unary(
                rpc.path,
                request_serializer=rpc.request.SerializeToString,
                response_deserializer=response.FromString,
            )
            try:
                return await call(request, timeout=attempts.left_s, metadata=metadata)
            except grpc.aio.AioRpcError as error:
                raise _read(error, rpc) from error
            except asyncio.CancelledError:
                self._tell_of_the_end()
                raise

    async def _send(
        self,
        request: type[Message],
        requests: AsyncGenerator[Message, None],
        response: type[_Response],
        timeout: float | None,
    ) -> _Response:
        """Streams `requests`, no faster than the server takes them; what they raise ends the call and is raised."""
        rpc = rpc_of(request)
        async with aclosing(requests), self._channels.borrowed() as channel:
            # An iterator given to gRPC would not do: where it raises, gRPC tells of a cancelled call instead.
            call = channel.stream_unary(
                rpc.path,
                request_serializer=rpc.request.SerializeToString,
                response_deserializer=response.FromString,
            )(timeout=self._transfer_timeout_s(timeout), metadata=await self._metadata())
            statuses = _statuses(call)
            try:
                async for part in requests:
                    if not await _written(call.write(part)):
                        break
                else:
                    await _written(call.done_writing())
                return await call
            except grpc.aio.AioRpcError as error:
                raise _read(_of_the_server(statuses, error), rpc) from error
            except BaseException as error:
                call.cancel()
                if isinstance(error, asyncio.CancelledError):
                    self._tell_of_the_end()
                raise

    async def _receive(
        self, request: Message, response: type[_Response], timeout: float | None
    ) -> AsyncGenerator[_Response, None]:
        """Makes a call with many responses; whoever stops early ends it."""
        rpc = rpc_of(type(request))
        fill_in(request, self._settings.tenant)
        async with self._channels.borrowed() as channel:
            call = channel.unary_stream(
                rpc.path,
                request_serializer=rpc.request.SerializeToString,
                response_deserializer=response.FromString,
            )(request, timeout=self._transfer_timeout_s(timeout), metadata=await self._metadata())
            try:
                async for part in call:
                    yield part
            except grpc.aio.AioRpcError as error:
                raise _read(error, rpc) from error
            except asyncio.CancelledError:
                self._tell_of_the_end()
                raise
            finally:
                # To a call that is over it does nothing.
                call.cancel()

    async def _metadata(self) -> Metadata:
        token = self._settings.token
        if token is None:
            return ()
        if callable(token):
            given = token()
            token = await given if inspect.isawaitable(given) else given
        return bearer(token)

    def _transfer_timeout_s(self, timeout: float | None) -> float:
        return self._settings.transfer_timeout_s if timeout is None else timeout

    def _tell_of_the_end(self) -> None:
        """Raises where a call was cancelled by the end of its client, and not with the task that waits for it."""
        if self._channels.closed:
            raise ChatbridgeError(grpc.StatusCode.CANCELLED, "the client was closed") from None


def _read(error: grpc.aio.AioRpcError, rpc: Rpc) -> ChatbridgeError:
    return ChatbridgeError.from_rpc(error, reads=rpc.repeats is Repeats.READS)


async def _written(write: Awaitable[None]) -> bool:
    """Whether it could be written; if not, the call is over, and awaiting it tells why."""
    try:
        await write
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
        return False
    return True


def _statuses(call: grpc.aio.StreamUnaryCall[Any, Any]) -> list[grpc.aio.AioRpcError]:
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
