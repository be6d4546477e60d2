"""The channel of a client, and its replacement."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc

from chatbridge.target import Address

# One for each kind of call, such as `grpc.UnaryUnaryClientInterceptor`: they have no class in common.
ClientInterceptor: TypeAlias = Any

_CLOSED = "the client is closed"


@dataclass(eq=False)
class Lease:
    """A channel, with how many calls use it."""

    channel: grpc.Channel
    users: int = 0


class Channels:
    """Opens the channel when it is needed. One that may be dead is replaced, and closed when nothing uses it."""

    def __init__(self, address: Address, interceptors: Sequence[ClientInterceptor]) -> None:
        """Opens nothing yet."""
        self._address = address
        self._interceptors = list(interceptors)
        self._lock = threading.RLock()
        self._current: Lease | None = None
        self._retired: set[Lease] = set()
        self._process = os.getpid()
        self.closed = False

    def borrow(self, instead_of: Lease | None = None) -> Lease:
        """The current channel, until `give_back`; another than `instead_of`, which may be dead."""
        if self._current is not None and os.getpid() != self._process:
            # Without asking for the lock, which may have been held when the process forked.
            raise RuntimeError("the client was used before this process was forked off: make one in each process")
        with self._lock:
            if self.closed:
                raise RuntimeError(_CLOSED)
            if self._current is not None and self._current is instead_of:
                self._retire(self._current)
                self._current = None
            if self._current is None:
                self._process = os.getpid()
                self._current = Lease(self._open())
            self._current.users += 1
            return self._current

    def give_back(self, lease: Lease) -> None:
        """Ends the use of a channel."""
        with self._lock:
            lease.users -= 1
            if lease.users > 0 or lease not in self._retired:
                return
            self._retired.discard(lease)
        lease.channel.close()

    @contextmanager
    def borrowed(self) -> Iterator[grpc.Channel]:
        """The current channel, for the time of a call."""
        lease = self.borrow()
        try:
            yield lease.channel
        except ValueError as error:
            # So gRPC says that a channel is closed.
            if not self.closed:
                raise
            raise RuntimeError(_CLOSED) from error
        finally:
            self.give_back(lease)

    def close(self) -> None:
        """Closes all; calls that are under way fail."""
        with self._lock:
            self.closed = True
            leases = [*self._retired, *([self._current] if self._current else [])]
            self._retired.clear()
            self._current = None
        for lease in leases:
            lease.channel.close()

    def _retire(self, lease: Lease) -> None:
        if lease.users == 0:
            lease.channel.close()
        else:
            self._retired.add(lease)

    def _open(self) -> grpc.Channel:
        address = self._address
        if address.credentials is None:
            channel = grpc.insecure_channel(address.target, options=address.options)
        else:
            channel = grpc.secure_channel(address.target, address.credentials, options=address.options)
        return grpc.intercept_channel(channel, *self._interceptors) if self._interceptors else channel
