"""The client's error as drivers tell it."""

from __future__ import annotations

import driver_pb2 as wire
from google.protobuf.duration_pb2 import Duration

from chatbridge import ChatbridgeError, StreamEndedError


def told(error: ChatbridgeError) -> wire.Error:
    """All that the client's error says."""
    found = wire.Error(
        code=error.code.value[0],
        reason=error.reason,
        message=error.message,
        metadata=error.metadata,
        field_violations=[
            wire.FieldViolation(field=violation.field, description=violation.description)
            for violation in error.field_violations
        ],
        reference_id=error.reference_id,
        outcome_unknown=error.outcome_unknown,
        ending_reason=error.reason if isinstance(error, StreamEndedError) else "",
    )
    if error.retry_after is not None:
        wait = Duration()
        wait.FromTimedelta(error.retry_after)
        found.retry_after.CopyFrom(wait)
    return found
