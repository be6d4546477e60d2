"""Why a call failed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from chatbridge.v1 import Ending, EndingReason

_DETAILS_KEY = "grpc-status-details-bin"
_DOMAIN = "chatbridge"


@dataclass(frozen=True)
class FieldViolation:
    """What is wrong with one field of a request."""

    field: str
    """Path of the field in the request, such as `user.additional_properties[3].key`."""
    description: str
    """What is wrong and what is expected."""


class ChatbridgeError(Exception):
    """A call failed. Tell errors apart by `code` and `reason`; the text is for people."""

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        *,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        field_violations: tuple[FieldViolation, ...] = (),
        retry_after: timedelta | None = None,
        reads: bool = False,
    ) -> None:
        """Holds what a status and its details said; `reads` says that the call has no side effects."""
        super().__init__(code, message)
        self.code = code
        """The gRPC status code."""
        self.message = message
        """A sentence that says what happened."""
        self.reason = reason
        """The stable word for it, such as `UPSTREAM_RATE_LIMITED`; empty: the server gave none."""
        self.metadata: Mapping[str, str] = dict(metadata or {})
        """Further facts that the server gave."""
        self.field_violations = field_violations
        """The fields that are wrong, where the code is INVALID_ARGUMENT."""
        self.retry_after = retry_after
        """How long to wait before a repeat; None: the server did not say."""
        self._reads = reads

    @property
    def reference_id(self) -> str:
        """What the vendor's support asks for; empty: the vendor gave none."""
        return self.metadata.get("reference_id", "")

    @property
    def outcome_unknown(self) -> bool:
        """Whether it may have happened all the same: look before sending it again."""
        return self.reason == "UPSTREAM_OUTCOME_UNKNOWN" or (
            self.code is grpc.StatusCode.DEADLINE_EXCEEDED and not self.reason and not self._reads
        )

    def __str__(self) -> str:
        """Code, reason, sentence and reference on one line."""
        reason = f" ({self.reason})" if self.reason else ""
        reference = f" [reference {self.reference_id}]" if self.reference_id else ""
        return f"{self.code.name}{reason}: {' '.join(self.message.split())}{reference}"

    @classmethod
    def from_rpc(cls, error: grpc.RpcError, *, reads: bool = False) -> ChatbridgeError:
        """Reads an error of gRPC's, with the `google.rpc.Status` that came with it, if one did.

        `reads` says that the call has no side effects, so that its outcome does not matter.
        """
        details = _details(error)
        return cls(
            getattr(error, "code", _unknown)(),
            getattr(error, "details", str)() or "the server gave no description",
            reason=details.reason,
            metadata=details.metadata,
            field_violations=tuple(details.field_violations),
            retry_after=details.retry_after,
            reads=reads,
        )


class StreamEndedError(ChatbridgeError):
    """The server ended a stream of events and advised not to connect again."""

    def __init__(self, ending: Ending) -> None:
        """Keeps the ending; its reason is the error's reason."""
        unauthorized = ending.reason == EndingReason.ENDING_REASON_UNAUTHORIZED
        super().__init__(
            grpc.StatusCode.PERMISSION_DENIED if unauthorized else grpc.StatusCode.ABORTED,
            "the server ended the stream and advised not to connect again with the same request",
            reason=_ending_name(ending),
        )
        self.ending = ending
        """What the server sent."""

    def __reduce__(self) -> tuple[type[StreamEndedError], tuple[Ending]]:
        """Made of the ending again, in another process for instance."""
        return type(self), (self.ending,)


@dataclass
class _Details:
    reason: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    field_violations: list[FieldViolation] = field(default_factory=list)
    retry_after: timedelta | None = None


def _unknown() -> grpc.StatusCode:
    return grpc.StatusCode.UNKNOWN


def _details(error: grpc.RpcError) -> _Details:
    """What the trailers say; nothing where they are absent or unreadable, because the code still counts."""
    found = _Details()
    for key, value in getattr(error, "trailing_metadata", tuple)() or ():
        if key != _DETAILS_KEY or not isinstance(value, bytes):
            continue
        try:
            status = Status.FromString(value)
        except DecodeError:
            continue
        for detail in status.details:
            # One that cannot be read does not hide the others.
            with suppress(DecodeError):
                _read(detail, found)
    return found


def _read(detail: Any, found: _Details) -> None:
    info, bad_request, retry = ErrorInfo(), BadRequest(), RetryInfo()
    if detail.Unpack(info):
        # What a proxy says in its own words is not what Chatbridge's words mean.
        if info.domain == _DOMAIN:
            found.reason = info.reason
            found.metadata = dict(info.metadata)
    elif detail.Unpack(bad_request):
        found.field_violations += [
            FieldViolation(violation.field, violation.description) for violation in bad_request.field_violations
        ]
    elif detail.Unpack(retry):
        found.retry_after = retry.retry_delay.ToTimedelta()


def _ending_name(ending: Ending) -> str:
    # A server that is newer than this client may name a reason that it does not know.
    known = ending.reason in EndingReason.values()
    return EndingReason.Name(ending.reason) if known else f"ENDING_REASON_{int(ending.reason)}"
