"""How far a stream is, and what follows when one of its connections is over."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import grpc

from chatbridge.backoff import Backoff, Watchdog
from chatbridge.changes import Changes
from chatbridge.errors import ChatbridgeError, StreamEndedError
from chatbridge.v1 import AgentEventsRequest, AgentEventsResponse, ReconnectAdvice

_log = logging.getLogger("chatbridge")

# Without a reason of Chatbridge's these are the network's or a proxy's.
_OF_THE_NETWORK = frozenset(
    {
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
    }
)
# How often in a row credentials may be refused before they are bad, and not just old.
_REFUSALS = 3


@dataclass(frozen=True)
class Again:
    """Connect again."""

    at_s: float
    """Not before this time, by the clock of the stream."""
    over_a_new_connection: bool = False
    """Whether the connection may be dead."""


@dataclass(frozen=True)
class Over:
    """The iteration ends."""

    error: Exception | None = None
    """What it raises; None: nothing."""


Outcome = Again | Over


class Progress:
    """What one stream asks for and how it goes on. It waits for nothing and knows no connection."""

    def __init__(
        self,
        request: AgentEventsRequest,
        *,
        resume: bool,
        token_can_change: bool,
        backoff: Backoff,
        watchdog: Watchdog,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begins with `request`, which changes as the stream goes on."""
        self.request = request
        self.changes = Changes(request)
        self.clock = clock
        self._resume = resume
        self._token_can_change = token_can_change
        self._backoff = backoff
        self._opening_s = watchdog.opening_s
        self._silence_s = watchdog.silence_s
        self._attempt = 0
        self._refusals = 0
        self._held_since_s: float | None = None

    @property
    def silence_s(self) -> float:
        """How long nothing may come on the connection, from now on."""
        return self._opening_s if self._held_since_s is None else self._silence_s

    def opened(self) -> None:
        """A connection was opened."""
        self._held_since_s = None

    def received(self, response: AgentEventsResponse) -> Outcome | None:
        """Notes a response; what follows it, where it is the connection's last."""
        if self._held_since_s is None:
            self._held_since_s = self.clock()
        self._refusals = 0
        # A subscription knows by itself where to go on.
        if response.cursor and not self.request.subscription:
            self.request.cursor = response.cursor
        kind = response.WhichOneof("payload")
        if kind == "heartbeat":
            interval_s = response.heartbeat.interval.ToTimedelta().total_seconds()
            if interval_s > 0:
                self._silence_s = 2 * interval_s
            if response.heartbeat.stream_id:
                self.changes.named(response.heartbeat.stream_id)
        elif kind == "changed":
            self.changes.told(response.changed.revision)
        elif kind == "ending":
            return self._after_ending(response)
        return None

    def ended(self) -> Outcome:
        """What follows a connection that the server closed without an error and without an ending."""
        problem = "the server closed the stream without saying why"
        self.changes.broke()
        if not self._resume:
            return Over(ChatbridgeError(grpc.StatusCode.UNAVAILABLE, problem))
        return self._again(problem)

    def failed(self, error: ChatbridgeError) -> Outcome:
        """What follows an error."""
        self.changes.broke()
        if error.code is grpc.StatusCode.UNAUTHENTICATED:
            self._refusals += 1
        if not self._resume or not self.is_break(error):
            return Over(error)
        return self._again(str(error), error.retry_after.total_seconds() if error.retry_after else 0.0)

    def fell_silent(self) -> Outcome:
        """What follows where nothing came for `silence_s`."""
        problem = f"nothing came for {self.silence_s:g} s"
        self.changes.broke()
        if not self._resume:
            return Over(ChatbridgeError(grpc.StatusCode.UNAVAILABLE, f"the connection is dead: {problem}"))
        return self._again(problem, over_a_new_connection=True)

    def is_break(self, error: ChatbridgeError) -> bool:
        """Whether connecting again may mend it."""
        if error.code is grpc.StatusCode.UNAVAILABLE:
            return True
        if error.code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return error.retry_after is not None
        if error.code is grpc.StatusCode.UNAUTHENTICATED:
            return self._token_can_change and self._refusals <= _REFUSALS
        return error.code in _OF_THE_NETWORK and not error.reason

    def _after_ending(self, response: AgentEventsResponse) -> Outcome:
        ending = response.ending
        self.changes.broke()
        if not self._resume:
            return Over()
        error = StreamEndedError(ending)
        if ending.reconnect == ReconnectAdvice.RECONNECT_ADVICE_NEVER:
            return Over(error)
        later = ending.reconnect == ReconnectAdvice.RECONNECT_ADVICE_LATER
        # The first wait of the backoff: the server lives, and asks for it.
        self._attempt = 0
        return self._again(
            f"the server ended it ({error.reason})",
            ending.retry_after.ToTimedelta().total_seconds() if later else 0.0,
        )

    def _again(self, problem: str, at_least_s: float = 0.0, *, over_a_new_connection: bool = False) -> Again:
        now_s = self.clock()
        if self._held_since_s is not None and now_s - self._held_since_s >= self._backoff.stable_after_s:
            self._attempt = 0
        wait_s = at_least_s + self._backoff.delay_s(self._attempt)
        self._attempt += 1
        _log.warning("AgentEvents broke and connects again in %.1f s: %s", wait_s, problem)
        return Again(now_s + wait_s, over_a_new_connection)
