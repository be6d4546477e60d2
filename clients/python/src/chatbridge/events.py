"""The stream of what agents do, which goes on over breaks."""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeAlias

import grpc

from chatbridge.channels import Lease
from chatbridge.errors import ChatbridgeError
from chatbridge.progress import Again, Outcome, Over, Progress
from chatbridge.start import Start, change_of
from chatbridge.v1 import AgentEventsRequest, AgentEventsResponse, ChangeAgentEventsRequest, StartPosition

LoadCursor: TypeAlias = "Callable[[], bytes | Awaitable[bytes | None] | None]"
SaveCursor: TypeAlias = "Callable[[bytes], object | Awaitable[object]]"

_Call: TypeAlias = "grpc.aio.UnaryStreamCall[AgentEventsRequest, AgentEventsResponse]"


@dataclass(frozen=True)
class Connector:
    """What a stream has of its client."""

    open: Callable[[AgentEventsRequest, Lease | None], Awaitable[tuple[Lease, Any]]]
    """Opens a stream over the current channel, or over another than the one given."""
    give_back: Callable[[Lease], Awaitable[None]]
    """Ends the use of a channel."""
    change: Callable[[ChangeAgentEventsRequest], Awaitable[int]]
    """Changes a stream; the revision."""
    forget: Callable[[AgentEvents], None]
    """The stream is over."""


class AgentEvents(AsyncIterator[AgentEventsResponse]):
    """Responses of `AgentEvents`, in order: events, heartbeats, gaps, changes and endings.

    Iterate it once, from one task at a time. Where it resumes, it connects again after a break, behind the last
    response that it received, for as long as it takes; the logger `chatbridge` tells of each break. It raises
    `ChatbridgeError` on what connecting again cannot mend, and what the cursor's functions raise; then it is over. It
    holds a bounded number of responses that were not asked for yet, and reads on as they are taken.

    Leave it by `async with`, or call `aclose`, which says that the response given last is done with. `stop` ends it
    from any task. Cancelling a wait for the next response, as `asyncio.wait_for` does, loses nothing.
    """

    def __init__(
        self,
        connector: Connector,
        progress: Progress,
        *,
        buffer: int,
        load_cursor: LoadCursor | None,
        save_cursor: SaveCursor | None,
    ) -> None:
        """Connects at the first iteration. `Chatbridge.agent_events` is the way to get one."""
        self._connector = connector
        self._progress = progress
        self._buffer = buffer
        self._load_cursor = load_cursor
        self._save_cursor = save_cursor
        self._cursor = progress.request.cursor
        self._unsaved: bytes | None = None
        self._held: deque[AgentEventsResponse] = deque()
        self._outcome: Outcome | None = None
        self._stopped = False
        self._lease: Lease | None = None
        self._call: _Call | None = None
        self._reader: asyncio.Task[None] | None = None
        self._quiet_s = 0.0
        # Set where there may be something new: for the application, for the reader, for those who change the stream.
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._named = asyncio.Event()

    @property
    def cursor(self) -> bytes:
        """The place behind the response that was given last: store it with what came of that response."""
        return self._cursor

    async def change(
        self,
        *,
        add: Iterable[str] = (),
        start: Start = StartPosition.START_POSITION_LATEST,
        remove: Iterable[str] = (),
    ) -> None:
        """Takes conversations off a changeable stream, and adds others from `start` on.

        Waits until the stream is connected, so another task must be iterating it; the response `changed` tells from
        where on the change holds. A stream that connects again has what was changed, and changes anew what it was not
        told of before the break.
        """
        request = change_of(self._progress.request, add, start, remove)
        changes = self._progress.changes
        while True:
            while not changes.stream_id:
                if self._stopped:
                    raise RuntimeError("the stream has ended")
                self._named.clear()
                await self._named.wait()
            request.stream_id = changes.stream_id
            try:
                revision = await self._connector.change(request)
            except ChatbridgeError as error:
                # It broke meanwhile: the next connection has another name.
                if error.reason == "STREAM_UNKNOWN" and request.stream_id != changes.stream_id:
                    continue
                raise
            changes.accepted(request, revision)
            return

    def stop(self) -> None:
        """Ends the iteration from any task: whoever waits for the next response, or asks for it later, sees its end.

        Unlike `aclose` it does not say that the response given last is done with: asking for the next one does.
        """
        self._stopped = True
        if self._call is not None:
            self._call.cancel()
        self._held.clear()
        self._news.set()
        self._named.set()
        self._connector.forget(self)

    async def aclose(self) -> None:
        """Ends the stream, having come back from the response that was given last: its cursor is saved.

        Returns when nothing of the stream is left. Whoever waits for the next response sees the iteration end.
        """
        self.stop()
        try:
            await self._save()
        finally:
            await self._disconnect()

    def __aiter__(self) -> AgentEvents:
        """The stream itself."""
        return self

    async def __anext__(self) -> AgentEventsResponse:
        """The next response, over as many connections as it takes."""
        try:
            await self._save()
            await self._load()
            response = await self._next()
        except asyncio.CancelledError:
            # The next wait goes on where this one was.
            raise
        except BaseException:
            self.stop()
            await self._disconnect()
            raise
        if response.cursor:
            self._cursor = response.cursor
            if self._save_cursor is not None:
                self._unsaved = response.cursor
        return response

    async def __aenter__(self) -> AgentEvents:
        """The stream itself."""
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends the stream; where an exception left the response given last half done, its cursor is not saved."""
        if exc_type is not None:
            self._unsaved = None
        await self.aclose()

    async def _load(self) -> None:
        if self._load_cursor is None or self._stopped:
            return
        given = self._load_cursor()
        cursor = await given if inspect.isawaitable(given) else given
        self._load_cursor = None
        if cursor:
            self._progress.request.cursor = cursor
            self._cursor = cursor

    async def _save(self) -> None:
        if self._save_cursor is None or self._unsaved is None:
            return
        given = self._save_cursor(self._unsaved)
        if inspect.isawaitable(given):
            await given
        self._unsaved = None

    async def _next(self) -> AgentEventsResponse:
        while not self._stopped:
            self._news.clear()
            await self._redo()
            if self._held:
                self._room.set()
                return self._held.popleft()
            if isinstance(self._outcome, Over):
                await self._disconnect()
                if self._outcome.error is not None:
                    raise self._outcome.error
                break
            if isinstance(self._outcome, Again):
                await self._connect_again(self._outcome)
            elif self._reader is None:
                await self._connect(None)
            else:
                await self._listen()
        raise StopAsyncIteration

    async def _connect(self, instead_of: Lease | None) -> None:
        try:
            self._lease, self._call = await self._connector.open(self._progress.request, instead_of)
        except RuntimeError:
            # The client was closed meanwhile, and this stream with it.
            if self._stopped:
                return
            raise
        self._outcome = None
        self._quiet_s = 0.0
        self._progress.opened()
        self._reader = asyncio.create_task(self._read(self._call))
        if self._stopped:
            await self._disconnect()

    async def _connect_again(self, again: Again) -> None:
        lease = self._lease
        await self._disconnect()
        await self._pause(again.at_s - self._progress.clock())
        # Whatever woke it before the time, it waits on.
        if not self._stopped and self._progress.clock() >= again.at_s:
            await self._connect(lease if again.over_a_new_connection else None)

    async def _disconnect(self) -> None:
        """Ends the connection, if there is one, and leaves nothing of it."""
        call, reader, lease = self._call, self._reader, self._lease
        self._call = self._reader = None
        if call is not None:
            call.cancel()
        if reader is not None:
            reader.cancel()
            try:
                await asyncio.gather(reader, return_exceptions=True)
            finally:
                if lease is not None:
                    await self._connector.give_back(lease)

    async def _listen(self) -> None:
        """Waits for news, and gives the connection up where there are none for too long.

        Only as much of a wait counts as was asked for: a program that was stopped meanwhile did not listen.
        """
        limit_s = self._progress.silence_s
        slice_s = min(limit_s / 4, max(limit_s - self._quiet_s, 0.001))
        since_s = self._progress.clock()
        try:
            await self._pause(slice_s)
        finally:
            if not self._held and self._outcome is None:
                self._quiet_s += min(self._progress.clock() - since_s, slice_s)
        if self._quiet_s >= limit_s and self._outcome is None and not self._held:
            self._outcome = self._progress.fell_silent()

    async def _pause(self, at_most_s: float) -> None:
        """Waits for news, or until the time is over."""
        if at_most_s <= 0:
            return
        # Not by `asyncio.wait_for`, which may lose a cancellation before Python 3.12.
        timer = asyncio.get_running_loop().call_later(at_most_s, self._news.set)
        try:
            await self._news.wait()
        finally:
            timer.cancel()

    async def _read(self, call: _Call) -> None:
        """Reads one connection to its end, no further ahead of the application than the buffer holds."""
        try:
            outcome = await self._responses(call)
        except grpc.aio.AioRpcError as error:
            outcome = self._progress.failed(ChatbridgeError.from_rpc(error, reads=True))
        except asyncio.CancelledError:
            # Whoever cancelled it knows.
            if not self._stopped:
                raise
            return
        except Exception as error:
            # Whatever it is, the application hears of it, and does not wait for what cannot come.
            outcome = Over(error)
        if self._outcome is None and call is self._call:
            self._outcome = outcome
        self._news.set()

    async def _responses(self, call: _Call) -> Outcome:
        while True:
            while len(self._held) >= self._buffer:
                self._room.clear()
                await self._room.wait()
            response = await call.read()
            if not isinstance(response, AgentEventsResponse):
                return self._progress.ended()
            self._quiet_s = 0.0
            outcome = self._progress.received(response)
            self._held.append(response)
            self._news.set()
            if self._progress.changes.stream_id:
                self._named.set()
            if outcome is not None:
                return outcome

    async def _redo(self) -> None:
        """Makes anew what a broken connection did not tell of."""
        changes = self._progress.changes
        while (change := changes.to_redo) is not None:
            stream_id = change.request.stream_id = changes.stream_id
            try:
                revision = await self._connector.change(change.request)
            except ChatbridgeError as error:
                if self._progress.is_break(error) or error.reason == "STREAM_UNKNOWN":
                    return  # This connection may be over; the next response tries again.
                raise
            changes.redone(change, stream_id, revision)
