"""The stream of what agents do, which goes on over breaks."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import TypeAlias

import grpc

from chatbridge.backoff import Backoff
from chatbridge.errors import ChatbridgeError, StreamEndedError
from chatbridge.v1 import AgentEventsRequest, AgentEventsResponse, Ending, ReconnectAdvice

_log = logging.getLogger("chatbridge")

# Reading repeats without harm, but only this code promises that a repeat can succeed.
_RESUMABLE = frozenset({grpc.StatusCode.UNAVAILABLE})

_Call: TypeAlias = "grpc.aio.UnaryStreamCall[AgentEventsRequest, AgentEventsResponse]"
_Open: TypeAlias = Callable[[AgentEventsRequest], _Call]


class AgentEvents(AsyncIterator[AgentEventsResponse]):
    """Responses of `AgentEvents`, each once: events, heartbeats, gaps and endings.

    Iterate it once, from one task. Where it resumes, it connects again after a break, from the cursor of the response
    that it gave last, for as long as it takes; the logger `chatbridge` tells of each break. It raises
    `ChatbridgeError` on what connecting again cannot mend, and ends after `aclose` or when its client is closed.
    Cancelling a wait for the next response, as `asyncio.wait_for` does, loses nothing: the next wait connects again.
    """

    def __init__(self, open_call: _Open, request: AgentEventsRequest, *, resume: bool, backoff: Backoff) -> None:
        """Connects at the first iteration. `Chatbridge.agent_events` is the way to get one."""
        self._open_call = open_call
        self._request = request
        self._resume = resume
        self._backoff = backoff
        self._call: _Call | None = None
        self._opened_at_s = 0.0
        self._attempt = 0
        self._ending: Ending | None = None
        self._closed = asyncio.Event()
        self._cursor = request.cursor

    @property
    def cursor(self) -> bytes:
        """The place behind the response that was given last: store it with what came of that response."""
        return self._cursor

    def __aiter__(self) -> AgentEvents:
        """The stream itself."""
        return self

    async def __anext__(self) -> AgentEventsResponse:
        """The next response, over as many connections as it takes."""
        while not self._closed.is_set():
            try:
                response = await self._receive()
            except grpc.aio.AioRpcError as rpc_error:
                await self._recover(ChatbridgeError.from_rpc(rpc_error), rpc_error)
                continue
            if response is not None:
                return self._accept(response)
            await self._after_end()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Ends the stream; whoever waits for its next response sees the iteration end."""
        self._closed.set()
        if self._call is not None:
            self._call.cancel()

    async def __aenter__(self) -> AgentEvents:
        """The stream itself."""
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends the stream."""
        await self.aclose()

    async def _receive(self) -> AgentEventsResponse | None:
        """The next response of one connection; None: it is over."""
        if self._call is None:
            self._ending = None
            self._opened_at_s = time.monotonic()
            self._call = self._open_call(self._request)
        try:
            response = await self._call.read()
        except asyncio.CancelledError:
            # Either the waiting task was cancelled, or `aclose` cancelled the call, which gRPC reports the same way.
            self._call.cancel()
            self._call = None
            if self._closed.is_set() and not _task_is_cancelled():
                return None
            raise
        return response if isinstance(response, AgentEventsResponse) else None

    def _accept(self, response: AgentEventsResponse) -> AgentEventsResponse:
        if response.cursor:
            self._cursor = response.cursor
            self._request.cursor = response.cursor
        if response.HasField("ending"):
            self._ending = response.ending
        return response

    async def _recover(self, error: ChatbridgeError, cause: BaseException) -> None:
        """Waits until it is time to connect again, or raises what cannot be mended so."""
        if self._closed.is_set():
            return
        if not self._resume or error.code not in _RESUMABLE:
            self._closed.set()
            raise error from cause
        await self._wait(str(error), error.retry_after.total_seconds() if error.retry_after else 0.0)

    async def _after_end(self) -> None:
        """Decides what follows a connection that the server closed without an error."""
        ending = self._ending
        if self._closed.is_set() or not self._resume:
            self._closed.set()
            return
        if ending is None:
            await self._wait("the server closed the stream without saying why", 0.0)
        elif ending.reconnect == ReconnectAdvice.RECONNECT_ADVICE_NEVER:
            self._closed.set()
            raise StreamEndedError(ending)
        else:
            later = ending.reconnect == ReconnectAdvice.RECONNECT_ADVICE_LATER
            await self._wait("", ending.retry_after.ToTimedelta().total_seconds() if later else 0.0)

    async def _wait(self, problem: str, at_least_s: float) -> None:
        if time.monotonic() - self._opened_at_s >= self._backoff.stable_after_s:
            self._attempt = 0
        delay_s = at_least_s + self._backoff.delay_s(self._attempt)
        self._attempt += 1
        self._call = None
        if problem:
            _log.warning("AgentEvents broke and resumes in %.1f s: %s", delay_s, problem)
        try:
            await asyncio.wait_for(self._closed.wait(), delay_s)
        except asyncio.TimeoutError:
            return


def _task_is_cancelled() -> bool:
    # Python 3.10 cannot tell; there, a stream that was closed ends quietly.
    task = asyncio.current_task()
    cancelling = getattr(task, "cancelling", None)
    return cancelling is not None and cancelling() > 0
