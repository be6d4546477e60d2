"""A TCP proxy that breaks connections on demand."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from runner.http2 import Frames, Headers, Requests, go_away

Address = tuple[str, int]
_PIECE_BYTES = 64 << 10
_CONNECT_TIMEOUT_S = 5.0


@dataclass
class Rules:
    """What becomes of bytes."""

    delay_s: float = 0.0
    bytes_per_second: int = 0
    refuse: bool = False
    swallow_new: bool = False


@dataclass(eq=False)
class _Connection:
    writer: asyncio.StreamWriter
    opened_s: float
    up: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while what the client says passes."""
    down: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while what the server says passes."""
    requests: Requests = field(default_factory=Requests)
    answers: Frames = field(default_factory=Frames)
    go_away: bool = False
    """Whether a GOAWAY waits for a place between frames."""
    server: asyncio.StreamWriter | None = None


class Proxy:
    """Stands before one server, for one client. `target` says where the server is now; None: nowhere."""

    def __init__(self, target: Callable[[], Address | None]) -> None:
        """Does not listen yet."""
        self._target = target
        self._rules = Rules()
        self._answers = asyncio.Event()
        self._answers.set()
        self._open: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._seen: list[Headers] = []
        self.port = 0
        self.sent_down = 0
        """How many bytes were sent to clients."""
        self.opened_s: list[float] = []
        """When connections were made, by the monotonic clock."""

    async def start(self) -> None:
        """Listens on a port of its own."""
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0, limit=_PIECE_BYTES)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Ends it with all connections."""
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def requests(self) -> Iterator[Headers]:
        """The headers of all requests so far, where they could be read."""
        yield from self._seen

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._open)

    def cut(self) -> None:
        """Resets all connections. What comes on later ones is not held back."""
        self._answers.set()
        for connection in list(self._open):
            _reset(connection.writer)
            if connection.server is not None:
                _reset(connection.server)
        self._open.clear()

    def black_hole(self, new_too: bool) -> None:
        """Lets nothing pass on the connections that there are."""
        self._rules.swallow_new = new_too
        for connection in self._open:
            connection.up.clear()
            connection.down.clear()

    def hold_answers(self) -> None:
        """Lets no answer pass to the client, until connections are cut or healed.

        That a browser may call at all is told: otherwise it would not make the call whose answer is to be held.
        """
        self._answers.clear()

    def refuse(self) -> None:
        """Resets connections that are made from now on."""
        self._rules.refuse = True

    def slow(self, delay_s: float, bytes_per_second: int) -> None:
        """Lets everything pass late or slowly."""
        self._rules.delay_s = delay_s
        self._rules.bytes_per_second = bytes_per_second

    def say_go_away(self) -> None:
        """Tells the client to make no more calls on the HTTP/2 connections that there are."""
        for connection in self._open:
            if connection.requests.http2:
                connection.go_away = True
                if connection.answers.between:
                    connection.go_away = False
                    connection.writer.write(go_away())

    def heal(self) -> None:
        """Lets everything pass again."""
        self._rules = Rules()
        self._answers.set()
        for connection in self._open:
            connection.up.set()
            connection.down.set()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened_s.append(time.monotonic())
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = self._target()
        if self._rules.refuse or target is None:
            _reset(writer)
            return
        connection = _Connection(writer, self.opened_s[-1])
        connection.requests.seen = self._seen
        if not self._rules.swallow_new:
            connection.up.set()
            connection.down.set()
        self._open.add(connection)
        try:
            from_server, to_server = await asyncio.wait_for(
                asyncio.open_connection(*target, limit=_PIECE_BYTES), _CONNECT_TIMEOUT_S
            )
            connection.server = to_server
            pumps = [
                asyncio.ensure_future(self._pump(connection, reader, to_server, up=True)),
                asyncio.ensure_future(self._pump(connection, from_server, writer, up=False)),
            ]
            try:
                done, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
                clean = all(task.exception() is None for task in done)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
            for end in (writer, to_server):
                if clean:
                    end.close()
                else:
                    _reset(end)
        except (OSError, asyncio.TimeoutError):
            _reset(writer)
        finally:
            self._open.discard(connection)
            if connection.server is not None:
                connection.server.close()
            writer.close()

    async def _pump(
        self, connection: _Connection, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, up: bool
    ) -> None:
        gate = connection.up if up else connection.down
        while data := await source.read(_PIECE_BYTES):
            if self._rules.delay_s:
                await asyncio.sleep(self._rules.delay_s)
            if self._rules.bytes_per_second:
                await asyncio.sleep(len(data) / self._rules.bytes_per_second)
            await gate.wait()
            if not up and not connection.requests.preflight:
                await self._answers.wait()
            if up:
                connection.requests.feed(data)
            elif connection.requests.http2:
                _, place = connection.answers.feed(data)
                if connection.go_away and place is not None:
                    connection.go_away = False
                    data = data[:place] + go_away() + data[place:]
            if not up:
                self.sent_down += len(data)
            sink.write(data)
            await sink.drain()
        # What ends while nothing passes is not told either.
        await gate.wait()


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
