"""The channel of a client, and its replacement."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc

from chatbridge.target import Address

_CLOSED = "the client is closed"


@dataclass(eq=False)
class Lease:
    """A channel, with how many calls use it."""

    channel: grpc.aio.Channel
    users: int = 0


class Channels:
    """Opens the channel when it is needed. One that may be dead is replaced, and closed when nothing uses it."""

    def __init__(self, address: Address, interceptors: Sequence[grpc.aio.ClientInterceptor]) -> None:
        """Opens nothing yet."""
        self._address = address
        self._interceptors = list(interceptors)
        self._current: Lease | None = None
        self._retired: set[Lease] = set()
        self._process = os.getpid()
        self.closed = False

    async def borrow(self, instead_of: Lease | None = None) -> Lease:
        """The current channel, until `give_back`; another than `instead_of`, which may be dead."""
        if self._current is not None and os.getpid() != self._process:
            raise RuntimeError("the client was used before this process was forked off: make one in each process")
        if self._current is not None and self._current is instead_of:
            self._retired.add(self._current)
            self._current = None
            await self._close_unused(instead_of)
        if self.closed:
            raise RuntimeError(_CLOSED)
        if self._current is None:
            self._process = os.getpid()
            self._current = Lease(self._open())
        self._current.users += 1
        return self._current

    async def give_back(self, lease: Lease) -> None:
        """Ends the use of a channel."""
        lease.users -= 1
        await self._close_unused(lease)

    @asynccontextmanager
    async def borrowed(self) -> AsyncIterator[grpc.aio.Channel]:
        """The current channel, for the time of a call."""
        lease = await self.borrow()
        try:
            yield lease.channel
        except grpc.aio.UsageError as error:
            if not self.closed:
                raise
            raise RuntimeError(_CLOSED) from error
        finally:
            await self.give_back(lease)

    async def close(self) -> None:
        """Closes all; calls that are under way fail."""
        self.closed = True
        leases = [*self._retired, *([self._current] if self._current else [])]
        self._retired.clear()
        self._current = None
        for lease in leases:
            await lease.channel.close()

    async def _close_unused(self, lease: Lease) -> None:
        if lease.users == 0 and lease in self._retired:
            self._retired.discard(lease)
            await lease.channel.close()

    def _open(self) -> grpc.aio.Channel:
        address = self._address
        if address.credentials is None:
            return grpc.aio.insecure_channel(address.target, options=address.options, interceptors=self._interceptors)
        return grpc.aio.secure_channel(
            address.target, address.credentials, options=address.options, interceptors=self._interceptors
        )
