"""The caller's token on every call."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

# A token, or what gives the one that is good now. It is asked before every call, so it should remember.
Token = str | Callable[[], str | Awaitable[str]]
SyncToken = str | Callable[[], str]

Metadata = tuple[tuple[str, str], ...]

_BEARER = re.compile(r"[!-~]+")


def bearer(token: str) -> Metadata:
    """The metadata of a call with this token."""
    # gRPC's own error would quote it.
    if not isinstance(token, str) or not _BEARER.fullmatch(token):
        raise ValueError("the token is empty, or has characters that a header cannot have")
    return (("authorization", f"Bearer {token}"),)
