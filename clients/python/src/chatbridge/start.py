"""Where something starts, and what a stream is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias

from chatbridge.v1 import AgentEventsRequest, ChangeAgentEventsRequest, StartPosition, Subscription

Start: TypeAlias = "bytes | datetime | StartPosition.ValueType"


def set_start(request: AgentEventsRequest | ChangeAgentEventsRequest | Subscription, start: Start) -> None:
    """Sets where something starts: a cursor, a time with a zone or an end of the log."""
    if isinstance(start, bytes):
        request.cursor = start
    elif isinstance(start, datetime):
        if start.tzinfo is None:
            raise ValueError("start needs a time zone, such as datetime.now(timezone.utc)")
        request.time.FromDatetime(start)
    else:
        request.position = start


def change_of(
    stream: AgentEventsRequest, add: Iterable[str], start: Start, remove: Iterable[str]
) -> ChangeAgentEventsRequest:
    """The request that changes a stream, which must be changeable."""
    if not stream.changeable:
        raise ValueError("only a stream that was opened with changeable=True can be changed")
    change = ChangeAgentEventsRequest(tenant=stream.tenant, add_conversation_ids=add, remove_conversation_ids=remove)
    set_start(change, start)
    return change
