"""Streams of events, taken from as an application does."""

from __future__ import annotations

import asyncio
from typing import Any

import driver_pb2 as wire
from errors import told
from libraries import Library

from chatbridge import ChatbridgeError


class Stream:
    """A stream of the client's, and the wait for its next response, which a `Take` may leave to the one after it."""

    def __init__(self, library: Library, stream: Any) -> None:
        """Takes from `stream`."""
        self.events = stream
        self._library = library
        self._asked: asyncio.Task[Any] | None = None

    async def take(self, request: wire.Take) -> wire.Taken:
        """Responses, until enough of them count, the time is over or the iteration ends."""
        taken = wire.Taken()
        loop = asyncio.get_running_loop()
        until_s = loop.time() + request.timeout.ToTimedelta().total_seconds()
        wanted = max(request.count, 1)
        while wanted > 0:
            if self._asked is None:
                self._asked = asyncio.create_task(self._library.next(self.events))
            await asyncio.wait([self._asked], timeout=max(until_s - loop.time(), 0))
            if not self._asked.done():
                break
            asked, self._asked = self._asked, None
            try:
                response = asked.result()
            except ChatbridgeError as error:
                taken.error.CopyFrom(told(error))
                taken.ended = True
                break
            if response is None:
                taken.ended = True
                break
            taken.responses.append(response.SerializeToString())
            kind = response.WhichOneof("payload")
            wanted -= request.payload in ("", kind)
            if kind == "event" and wanted > 0 and request.HasField("pause"):
                await asyncio.sleep(request.pause.ToTimedelta().total_seconds())
        taken.cursor = self.events.cursor
        return taken

    async def end(self) -> None:
        """Ends it as an application does that comes back from its last response."""
        await self._library.end(self.events)
