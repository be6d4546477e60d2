"""What all calls have in common: token, deadlines, repeats, errors, pages."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from typing import Any, Protocol, TypeVar, cast

import grpc
from google.protobuf.message import Message

from chatbridge.contract import Repeats, Rpc, fill_in, rpc_of
from chatbridge.errors import ChatbridgeError
from chatbridge.retries import Attempts
from chatbridge.settings import Settings
from chatbridge.sync.channels import Channels
from chatbridge.token import Metadata, SyncToken, bearer

_Response = TypeVar("_Response", bound=Message)


class _Page(Protocol):
    @property
    def next_page_token(self) -> str: ...


_PageT = TypeVar("_PageT", bound=_Page)


class Calls:
    """Makes calls over a connection and raises what they fail with."""

    def __init__(self, settings: Settings[SyncToken], channels: Channels) -> None:
        """Makes calls over `channels`."""
        self._settings = settings
        self._channels = channels

    def _call(self, request: Message, response: type[_Response], timeout: float | None) -> _Response:
        """Makes a call with one request and one response, again where that is safe."""
        rpc = rpc_of(type(request))
        fill_in(request, self._settings.tenant)
        attempts = Attempts(
            self._settings.retries, rpc.repeats, self._settings.timeout_s if timeout is None else timeout
        )
        while True:
            try:
                return self._attempt(rpc, request, response, attempts)
            except ChatbridgeError as error:
                wait_s = attempts.wait_s(error)
                if wait_s is None:
                    raise
            time.sleep(wait_s)

    def _attempt(self, rpc: Rpc, request: Message, response: type[_Response], attempts: Attempts) -> _Response:
        metadata = self._metadata()
        with self._channels.borrowed() as channel:
            call = channel.unary_unary(
                rpc.path,
                request_serializer=rpc.request.SerializeToString,
                response_deserializer=response.FromString,
            )
            try:
                return call(request, timeout=attempts.left_s, metadata=metadata)
            except grpc.RpcError as error:
                raise _read(error, rpc) from error

    def _send(
        self,
        request: type[Message],
        requests: Generator[Message, None, None],
        response: type[_Response],
        timeout: float | None,
    ) -> _Response:
        """Streams `requests`, no faster than the server takes them; what they raise ends the call and is raised."""
        rpc = rpc_of(request)
        metadata = self._metadata()
        with self._channels.borrowed() as channel:
            rpc_call = channel.stream_unary(
                rpc.path,
                request_serializer=rpc.request.SerializeToString,
                response_deserializer=response.FromString,
            )
            source = _Source(requests)
            call: Any = rpc_call.future(source, timeout=self._transfer_timeout_s(timeout), metadata=metadata)
            source.ends_with(call)
            try:
                return cast("_Response", call.result())
            except (grpc.RpcError, grpc.FutureCancelledError) as error:
                if source.error is not None:
                    raise source.error from None
                raise _read(call, rpc) from error
            finally:
                # To a call that is over it does nothing.
                call.cancel()
                # It may be at work still, in gRPC's thread, and then ends by itself.
                with suppress(ValueError):
                    requests.close()

    def _receive(
        self, request: Message, response: type[_Response], timeout: float | None
    ) -> Generator[_Response, None, None]:
        """Makes a call with many responses; whoever stops early ends it."""
        rpc = rpc_of(type(request))
        fill_in(request, self._settings.tenant)
        metadata = self._metadata()
        with self._channels.borrowed() as channel:
            call = channel.unary_stream(
                rpc.path,
                request_serializer=rpc.request.SerializeToString,
                response_deserializer=response.FromString,
            )(request, timeout=self._transfer_timeout_s(timeout), metadata=metadata)
            try:
                yield from call
            except grpc.RpcError as error:
                raise _read(error, rpc) from error
            finally:
                # To a call that is over it does nothing.
                call.cancel()

    def _metadata(self) -> Metadata:
        token = self._settings.token
        if token is None:
            return ()
        return bearer(token() if callable(token) else token)

    def _transfer_timeout_s(self, timeout: float | None) -> float:
        return self._settings.transfer_timeout_s if timeout is None else timeout


class _Source(Iterator[Message]):
    """What is sent, as gRPC's thread asks for it. It ends the call where it fails, and keeps why: gRPC would not."""

    def __init__(self, requests: Iterator[Message]) -> None:
        self._requests = requests
        self._call: grpc.Future[Any] | None = None
        self._begun = threading.Event()
        self.error: BaseException | None = None

    def ends_with(self, call: grpc.Future[Any]) -> None:
        self._call = call
        self._begun.set()

    def __next__(self) -> Message:
        try:
            return next(self._requests)
        except StopIteration:
            raise
        except BaseException as error:
            self.error = error
            self._begun.wait()
            if self._call is not None:
                self._call.cancel()
            raise StopIteration from None


def _read(error: grpc.RpcError, rpc: Rpc) -> ChatbridgeError:
    return ChatbridgeError.from_rpc(error, reads=rpc.repeats is Repeats.READS)


def pages(read: Callable[[str], _PageT]) -> Iterator[_PageT]:
    """Every page of a list, where `read` gives the one of a token."""
    page = read("")
    yield page
    while page.next_page_token:
        page = read(page.next_page_token)
        yield page
