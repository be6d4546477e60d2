"""The stream of what agents do, which goes on over breaks."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeAlias

import grpc

from chatbridge.errors import ChatbridgeError
from chatbridge.progress import Again, Outcome, Over, Progress
from chatbridge.start import Start, change_of
from chatbridge.sync.channels import Lease
from chatbridge.v1 import AgentEventsRequest, AgentEventsResponse, ChangeAgentEventsRequest, StartPosition

LoadCursor: TypeAlias = "Callable[[], bytes | None]"
SaveCursor: TypeAlias = "Callable[[bytes], object]"


@dataclass(frozen=True)
class Connector:
    """What a stream has of its client."""

    open: Callable[[AgentEventsRequest, Lease | None], tuple[Lease, Any]]
    """Opens a stream over the current channel, or over another than the one given."""
    give_back: Callable[[Lease], None]
    """Ends the use of a channel."""
    change: Callable[[ChangeAgentEventsRequest], int]
    """Changes a stream; the revision."""
    forget: Callable[[AgentEvents], None]
    """The stream is over."""


class AgentEvents(Iterator[AgentEventsResponse]):
    """Responses of `AgentEvents`, in order: events, heartbeats, gaps, changes and endings.

    Iterate it once, from one thread at a time. Where it resumes, it connects again after a break, behind the last
    response that it received, for as long as it takes; the logger `chatbridge` tells of each break. It raises
    `ChatbridgeError` on what connecting again cannot mend, and what the cursor's functions raise; then it is over. It
    holds a bounded number of responses that were not asked for yet, and reads on, in a thread of its own for each
    connection, as they are taken.

    Leave it by `with`, or call `close`, which says that the response given last is done with. `stop` ends it from any
    thread and from handlers of signals.
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
        # All below is changed by whoever has the turn. Its lock can be taken again by who has it, as by a handler of
        # a signal that calls `stop`.
        self._turn = threading.Condition(threading.RLock())
        self._held: deque[AgentEventsResponse] = deque()
        self._outcome: Outcome | None = None
        self._stopped = False
        self._lease: Lease | None = None
        self._call: Any = None
        self._reader: threading.Thread | None = None
        self._quiet_s = 0.0

    @property
    def cursor(self) -> bytes:
        """The place behind the response that was given last: store it with what came of that response."""
        return self._cursor

    def change(
        self,
        *,
        add: Iterable[str] = (),
        start: Start = StartPosition.START_POSITION_LATEST,
        remove: Iterable[str] = (),
    ) -> None:
        """Takes conversations off a changeable stream, and adds others from `start` on.

        Waits until the stream is connected, so another thread must be iterating it; the response `changed` tells from
        where on the change holds. A stream that connects again has what was changed, and changes anew what it was not
        told of before the break.
        """
        request = change_of(self._progress.request, add, start, remove)
        changes = self._progress.changes
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._stopped or changes.stream_id)
                if self._stopped:
                    raise RuntimeError("the stream has ended")
                request.stream_id = changes.stream_id
            try:
                revision = self._connector.change(request)
            except ChatbridgeError as error:
                # It broke meanwhile: the next connection has another name.
                if error.reason == "STREAM_UNKNOWN" and request.stream_id != changes.stream_id:
                    continue
                raise
            with self._turn:
                changes.accepted(request, revision)
            return

    def stop(self) -> None:
        """Ends the iteration from anywhere: whoever waits for the next response, or asks for it later, sees its end.

        Unlike `close` it does not say that the response given last is done with: asking for the next one does.
        """
        with self._turn:
            self._stopped = True
            call = self._call
            self._turn.notify_all()
        if call is not None:
            call.cancel()
        self._connector.forget(self)

    def close(self) -> None:
        """Ends the stream, having come back from the response that was given last: its cursor is saved.

        Returns when nothing of the stream is left. Whoever waits for the next response sees the iteration end.
        """
        self.stop()
        try:
            self._save()
        finally:
            self._disconnect()

    def __iter__(self) -> AgentEvents:
        """The stream itself."""
        return self

    def __next__(self) -> AgentEventsResponse:
        """The next response, over as many connections as it takes."""
        try:
            self._save()
            self._load()
            response = self._next()
        except Exception:
            self.stop()
            self._disconnect()
            raise
        if response.cursor:
            self._cursor = response.cursor
            if self._save_cursor is not None:
                self._unsaved = response.cursor
        return response

    def __enter__(self) -> AgentEvents:
        """The stream itself."""
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends the stream; where an exception left the response given last half done, its cursor is not saved."""
        if exc_type is not None:
            self._unsaved = None
        self.close()

    def _load(self) -> None:
        if self._load_cursor is None or self._stopped:
            return
        cursor = self._load_cursor()
        self._load_cursor = None
        if cursor:
            self._progress.request.cursor = cursor
            self._cursor = cursor

    def _save(self) -> None:
        if self._save_cursor is None or self._unsaved is None:
            return
        self._save_cursor(self._unsaved)
        self._unsaved = None

    def _next(self) -> AgentEventsResponse:
        while True:
            self._redo()
            with self._turn:
                if self._stopped:
                    raise StopIteration
                if self._held:
                    self._turn.notify_all()
                    return self._held.popleft()
                outcome = self._outcome
                if outcome is None and self._reader is not None:
                    self._listen()
                    continue
            if isinstance(outcome, Over):
                self._disconnect()
                raise outcome.error or StopIteration
            if isinstance(outcome, Again):
                self._connect_again(outcome)
            else:
                self._connect(None)

    def _connect(self, instead_of: Lease | None) -> None:
        request = AgentEventsRequest()
        with self._turn:
            request.CopyFrom(self._progress.request)
        try:
            lease, call = self._connector.open(request, instead_of)
        except RuntimeError:
            # The client was closed meanwhile, and this stream with it.
            if self._stopped:
                return
            raise
        reader = threading.Thread(target=self._read, args=(call,), name="chatbridge-events", daemon=True)
        with self._turn:
            self._lease, self._call, self._reader = lease, call, reader
            self._outcome = None
            self._quiet_s = 0.0
            self._progress.opened()
            reader.start()
        if self._stopped:
            self._disconnect()

    def _connect_again(self, again: Again) -> None:
        lease = self._lease
        self._disconnect()
        with self._turn:
            self._turn.wait_for(lambda: self._stopped, max(again.at_s - self._progress.clock(), 0.0))
            if self._stopped:
                return
        self._connect(lease if again.over_a_new_connection else None)

    def _disconnect(self) -> None:
        """Ends the connection, if there is one, and leaves nothing of it."""
        with self._turn:
            call, reader, lease = self._call, self._reader, self._lease
            self._call = self._reader = None
            self._turn.notify_all()
        if reader is None or lease is None:
            return
        call.cancel()
        reader.join()
        self._connector.give_back(lease)

    def _listen(self) -> None:
        """Waits for news, and gives the connection up where there are none for too long.

        Only as much of a wait counts as was asked for: a program that was stopped meanwhile did not listen.
        """
        limit_s = self._progress.silence_s
        slice_s = min(limit_s / 4, max(limit_s - self._quiet_s, 0.001))
        since_s = self._progress.clock()
        if self._turn.wait_for(lambda: self._held or self._outcome or self._stopped, slice_s):
            return
        self._quiet_s += min(self._progress.clock() - since_s, slice_s)
        if self._quiet_s >= limit_s:
            self._outcome = self._progress.fell_silent()

    def _read(self, call: Any) -> None:
        """Reads one connection to its end, no further ahead of the application than the buffer holds."""
        try:
            for response in call:
                if not self._received(call, response):
                    return
            self._is_over(call, self._progress.ended)
        except grpc.RpcError as rpc_error:
            error = ChatbridgeError.from_rpc(rpc_error, reads=True)
            self._is_over(call, lambda: self._progress.failed(error))
        except Exception as unexpected:
            # Whatever it is, the application hears of it, and does not wait for what cannot come.
            over = Over(unexpected)
            self._is_over(call, lambda: over)

    def _received(self, call: Any, response: AgentEventsResponse) -> bool:
        """Holds a response; whether there is more to read."""
        with self._turn:
            if call is not self._call or self._outcome is not None:
                return False
            self._quiet_s = 0.0
            self._outcome = self._progress.received(response)
            self._held.append(response)
            self._turn.notify_all()
            self._turn.wait_for(lambda: len(self._held) < self._buffer or call is not self._call or self._stopped)
            return self._outcome is None

    def _is_over(self, call: Any, outcome: Callable[[], Outcome]) -> None:
        with self._turn:
            # Otherwise somebody else ended it, and knows.
            if call is self._call and self._outcome is None and not self._stopped:
                self._outcome = outcome()
                self._turn.notify_all()

    def _redo(self) -> None:
        """Makes anew what a broken connection did not tell of."""
        changes = self._progress.changes
        while True:
            with self._turn:
                change = changes.to_redo
                if change is None or self._stopped:
                    return
                stream_id = change.request.stream_id = changes.stream_id
            try:
                revision = self._connector.change(change.request)
            except ChatbridgeError as error:
                if self._progress.is_break(error) or error.reason == "STREAM_UNKNOWN":
                    return  # This connection may be over; the next response tries again.
                raise
            with self._turn:
                changes.redone(change, stream_id, revision)
