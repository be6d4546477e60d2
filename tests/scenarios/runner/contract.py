"""The contract: its methods and messages, and their JSON form."""

from __future__ import annotations

from typing import Any

import chatbridge.v1 as contract
from google.protobuf import descriptor, descriptor_pool, json_format, message_factory
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct

from runner.failure import StepError

_PACKAGE = contract.__name__


def method_of(name: str) -> descriptor.MethodDescriptor:
    """The method that is named as `ConversationService/SendMessage`."""
    service, _, method = name.partition("/")
    try:
        found = descriptor_pool.Default().FindServiceByName(f"{_PACKAGE}.{service}")
        return found.methods_by_name[method]
    except KeyError:
        raise KeyError(f"the contract has no method {name!r}") from None


def full_name(name: str) -> str:
    """A method as gRPC names it in its path, without the slash before it."""
    return f"{_PACKAGE}.{name}"


def request_class(name: str) -> type[Message]:
    """The class of a method's requests."""
    return message_factory.GetMessageClass(method_of(name).input_type)


def response_class(name: str) -> type[Message]:
    """The class of a method's answers."""
    return message_factory.GetMessageClass(method_of(name).output_type)


def item_class(name: str) -> type[Message]:
    """The class of what a list's answers have: of their only repeated field."""
    for field in method_of(name).output_type.fields:
        if field.is_repeated and field.message_type is not None:
            return message_factory.GetMessageClass(field.message_type)
    raise StepError(f"{name} is no list")


def message_of(kind: type[Message], fields: dict[str, Any] | Struct) -> Message:
    """A message from its JSON form."""
    try:
        return json_format.ParseDict(plain(fields) if isinstance(fields, Struct) else fields, kind())
    except json_format.ParseError as error:
        raise StepError(f"the scenario's {kind.DESCRIPTOR.name} is none: {error}") from error


def plain(struct: Message) -> dict[str, Any]:
    """A message as plain values with the names of the contract; what is not set is left out."""
    values: dict[str, Any] = json_format.MessageToDict(struct, preserving_proto_field_name=True)
    return values
