"""What whoever makes a client has set."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from chatbridge.backoff import Backoff, Retries, Watchdog
from chatbridge.target import Address

_TokenT = TypeVar("_TokenT")

# How many responses a stream holds that the application has not asked for.
BUFFER = 64


@dataclass(frozen=True)
class Settings(Generic[_TokenT]):
    """The settings of a client."""

    address: Address
    tenant: str
    timeout_s: float
    transfer_timeout_s: float
    retries: Retries
    backoff: Backoff
    watchdog: Watchdog
    # Never in a textual form.
    token: _TokenT | None = field(repr=False)

    @property
    def token_can_change(self) -> bool:
        """Whether asking again may give another token."""
        return callable(self.token)
