"""What the contract says of its calls."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from chatbridge.v1 import (
    agent_event_service_pb2,
    attachment_service_pb2,
    configuration_service_pb2,
    conversation_service_pb2,
    session_service_pb2,
    subscription_service_pb2,
)

_FILES = (
    agent_event_service_pb2,
    attachment_service_pb2,
    configuration_service_pb2,
    conversation_service_pb2,
    session_service_pb2,
    subscription_service_pb2,
)


class Repeats(Enum):
    """Whether a call may be repeated where nothing tells what became of it: `idempotency_level` of the contract."""

    UNSAFE = 0
    """It may happen twice."""
    SAFE = 1
    """It happens once."""
    READS = 2
    """It changes nothing."""


@dataclass(frozen=True)
class Rpc:
    """One RPC of the contract."""

    path: str
    """As gRPC calls it, such as `/chatbridge.v1.ConversationService/SendMessage`."""
    request: type[Message]
    """What is sent; no other RPC takes it."""
    response: type[Message]
    """What is answered."""
    repeats: Repeats
    """Whether it may be repeated."""


def rpc_of(request: type[Message]) -> Rpc:
    """The RPC that takes such a request."""
    return _RPCS[request.DESCRIPTOR.full_name]


def all_rpcs() -> Iterable[Rpc]:
    """All that the contract has."""
    return _RPCS.values()


def fill_in(message: Any, tenant: str) -> None:
    """Sets the tenant where it is empty, and makes up a `request_id` where the call has one and it is empty."""
    fields = message.DESCRIPTOR.fields_by_name
    if "tenant" in fields and not message.tenant:
        message.tenant = tenant
    if "request_id" in fields and not message.request_id:
        message.request_id = str(uuid.uuid4())


_REPEATS = {
    MethodOptions.IDEMPOTENT: Repeats.SAFE,
    MethodOptions.NO_SIDE_EFFECTS: Repeats.READS,
}


def _rpc(method: MethodDescriptor) -> Rpc:
    level = method.GetOptions().idempotency_level
    return Rpc(
        path=f"/{method.containing_service.full_name}/{method.name}",
        request=GetMessageClass(method.input_type),
        response=GetMessageClass(method.output_type),
        repeats=_REPEATS.get(level, Repeats.UNSAFE),
    )


_RPCS = {
    method.input_type.full_name: _rpc(method)
    for file in _FILES
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
