"""When a call is made again."""

from __future__ import annotations

import time
from collections.abc import Callable

import grpc

from chatbridge.backoff import Retries
from chatbridge.contract import Repeats
from chatbridge.errors import ChatbridgeError

# Limits that the server says how long to wait for.
_LIMITS = frozenset({"CALLER_RATE_LIMITED", "UPSTREAM_RATE_LIMITED", "UPSTREAM_THROTTLED"})


class Attempts:
    """The attempts of one call, from its start on, within its deadline."""

    def __init__(
        self, retries: Retries, repeats: Repeats, timeout_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Starts the clock."""
        self._retries = retries
        self._repeats = repeats
        self._clock = clock
        self._deadline_s = clock() + timeout_s
        self._failed = 0

    @property
    def left_s(self) -> float:
        """How long the attempt that is made now may take."""
        return max(self._deadline_s - self._clock(), 0.0)

    def wait_s(self, error: ChatbridgeError) -> float | None:
        """How long to wait before the next attempt after this error; None: there is none, and the error is raised."""
        safe = self._is_safe(error)
        self._failed += 1
        if not safe or self._failed >= self._retries.attempts:
            return None
        at_least_s = error.retry_after.total_seconds() if error.retry_after else 0.0
        wait_s = at_least_s + self._retries.delay_s(self._failed - 1)
        return wait_s if wait_s < self.left_s else None

    def _is_safe(self, error: ChatbridgeError) -> bool:
        if error.code is grpc.StatusCode.UNAVAILABLE:
            # With a reason it is Chatbridge that says so, and it says so only of what did not happen.
            return bool(error.reason) or self._repeats is not Repeats.UNSAFE
        if error.code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return error.reason == "UPSTREAM_TIMEOUT"
        if error.code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return error.reason in _LIMITS and error.retry_after is not None
        if error.code is grpc.StatusCode.ABORTED:
            # An attempt whose answer was lost may still be running.
            return error.reason == "REQUEST_IN_FLIGHT" and self._failed > 0
        return False
