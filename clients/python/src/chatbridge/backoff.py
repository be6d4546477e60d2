"""How long to wait before connecting again."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Exponential backoff with full jitter, so that many clients of one server do not return together."""

    initial_s: float = 0.2
    """The first wait is up to this long; each further one up to twice as long as the one before."""
    maximum_s: float = 10.0
    """No wait is longer, unless the server asks for it."""
    stable_after_s: float = 5.0
    """A stream that held for this long makes the next wait a first one again."""

    def delay_s(self, attempt: int) -> float:
        """The wait before `attempt`, which counts from 0."""
        # Bounds the exponent as well, or a long outage would overflow.
        ceiling_s = min(self.maximum_s, self.initial_s * 2.0 ** min(attempt, 32))
        return random.uniform(0, ceiling_s)
