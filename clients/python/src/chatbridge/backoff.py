"""How long to wait before something is tried again, and how long silence may last."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """How long a stream waits before it connects again: exponential, with full jitter, so that clients spread."""

    initial_s: float = 0.2
    """The first wait is up to this long; each further one up to twice as long as the one before."""
    maximum_s: float = 10.0
    """No wait is longer, unless the server asks for it."""
    stable_after_s: float = 5.0
    """A connection that held for this long makes the next wait a first one again."""

    def delay_s(self, attempt: int) -> float:
        """The wait before `attempt`, which counts from 0."""
        return _part_of(self.initial_s, self.maximum_s, attempt)


@dataclass(frozen=True)
class Retries:
    """How often a call with one request is attempted where that is safe, and how long it waits between attempts."""

    attempts: int = 4
    """How often in all; 1: a call is never repeated."""
    initial_s: float = 0.1
    """The first wait is up to this long; each further one up to twice as long as the one before."""
    maximum_s: float = 2.0
    """No wait is longer, unless the server asks for it."""

    def delay_s(self, attempt: int) -> float:
        """The wait before `attempt`, which counts from 0: the first repeat."""
        return _part_of(self.initial_s, self.maximum_s, attempt)


@dataclass(frozen=True)
class Watchdog:
    """How long a stream may be silent before its connection is given up for dead."""

    opening_s: float = 10.0
    """How long the first response of a connection may take."""
    silence_s: float = 40.0
    """How long nothing may come, until a heartbeat told the interval; then it is twice that."""


def _part_of(initial_s: float, maximum_s: float, attempt: int) -> float:
    # Bounds the exponent as well, or a long outage would overflow.
    return random.uniform(0, min(maximum_s, initial_s * 2.0 ** min(attempt, 32)))
