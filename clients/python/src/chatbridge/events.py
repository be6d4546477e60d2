"""The stream of what agents do, which goes on over breaks."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import datetime
from types import TracebackType
from typing import TypeAlias

import grpc

from chatbridge.backoff import Backoff
from chatbridge.errors import ChatbridgeError, StreamEndedError
from chatbridge.v1 import (
    AgentEventsRequest,
    AgentEventsResponse,
    ChangeAgentEventsRequest,
    Ending,
    ReconnectAdvice,
    StartPosition,
    Subscription,
)

_log = logging.getLogger("chatbridge")

# Reading repeats without harm, but only this code promises that a repeat can succeed.
_RESUMABLE = frozenset({grpc.StatusCode.UNAVAILABLE})

_Call: TypeAlias = "grpc.aio.UnaryStreamCall[AgentEventsRequest, AgentEventsResponse]"
_Open: TypeAlias = Callable[[AgentEventsRequest], _Call]
_Change: TypeAlias = Callable[[ChangeAgentEventsRequest], Awaitable[int]]


def set_start(
    request: AgentEventsRequest | ChangeAgentEventsRequest | Subscription,
    start: bytes | datetime | StartPosition.ValueType,
) -> None:
    """Sets where something starts: a cursor, a time with a zone or an end of the log."""
    if isinstance(start, bytes):
        request.cursor = start
    elif isinstance(start, datetime):
        if start.tzinfo is None:
            raise ValueError("start needs a time zone, such as datetime.now(timezone.utc)")
        request.time.FromDatetime(start)
    else:
        request.position = start


class AgentEvents(AsyncIterator[AgentEventsResponse]):
    """Responses of `AgentEvents`, each once: events, heartbeats, gaps and endings.

    Iterate it once, from one task. Where it resumes, it connects again after a break, from the cursor of the response
    that it gave last, for as long as it takes; the logger `chatbridge` tells of each break. It raises
    `ChatbridgeError` on what connecting again cannot mend, and ends after `aclose` or when its client is closed.
    Cancelling a wait for the next response, as `asyncio.wait_for` does, loses nothing: the next wait connects again.
    """

    def __init__(
        self, open_call: _Open, change: _Change, request: AgentEventsRequest, *, resume: bool, backoff: Backoff
    ) -> None:
        """Connects at the first iteration. `Chatbridge.agent_events` is the way to get one."""
        self._open_call = open_call
        self._change = change
        self._stream_id = ""
        self._named = asyncio.Event()
        # What was asked for and has not been told on the stream yet, by revision.
        self._told = 0
        self._pending: dict[int, ChangeAgentEventsRequest] = {}
        self._to_redo: list[ChangeAgentEventsRequest] = []
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

    async def change(
        self,
        *,
        add: Iterable[str] = (),
        start: bytes | datetime | StartPosition.ValueType = StartPosition.START_POSITION_LATEST,
        remove: Iterable[str] = (),
    ) -> None:
        """Takes conversations off a changeable stream, and adds others from `start` on.

        Waits until the stream is connected, so another task must be iterating it; the response `changed` tells from
        where on the change holds. A stream that connects again has what was changed, and changes anew what it was not
        told of before the break.
        """
        if not self._request.changeable:
            raise ValueError("only a stream that was opened with changeable=True can be changed")
        request = ChangeAgentEventsRequest(
            tenant=self._request.tenant, add_conversation_ids=add, remove_conversation_ids=remove
        )
        set_start(request, start)
        await self._named.wait()
        await self._make(request)

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
                accepted = self._accept(response)
                await self._redo()
                return accepted
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
            # A subscription knows by itself where to go on.
            if not self._request.subscription:
                self._request.cursor = response.cursor
        if response.HasField("ending"):
            self._ending = response.ending
        if response.heartbeat.stream_id:
            self._stream_id = response.heartbeat.stream_id
            self._told = 0
            # Those of the connection before which it did not tell of.
            self._to_redo = [*self._pending.values(), *self._to_redo]
            self._pending.clear()
            self._named.set()
        if response.HasField("changed"):
            self._told = response.changed.revision
            self._settle(self._told)
        return response

    def _settle(self, revision: int) -> None:
        """A change holds: whoever connects again asks for the conversations that the stream has then."""
        for known in sorted(self._pending):
            if known > revision:
                break
            change = self._pending.pop(known)
            gone = set(change.remove_conversation_ids)
            have = [name for name in self._request.conversation_ids if name not in gone]
            new = [name for name in change.add_conversation_ids if name not in have]
            del self._request.conversation_ids[:]
            self._request.conversation_ids.extend([*have, *new])

    async def _make(self, request: ChangeAgentEventsRequest) -> None:
        request.stream_id = self._stream_id
        revision = await self._change(request)
        if request.stream_id != self._stream_id:
            # The stream it was made for is over.
            self._to_redo.append(request)
            return
        self._pending[revision] = request
        # The stream may have told of it before the call was answered.
        self._settle(self._told)

    async def _redo(self) -> None:
        while self._to_redo:
            try:
                await self._make(self._to_redo[0])
            except ChatbridgeError as error:
                if error.code in _RESUMABLE or error.reason == "STREAM_UNKNOWN":
                    return  # The next response tries again; this stream may be over.
                raise
            self._to_redo.pop(0)

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
