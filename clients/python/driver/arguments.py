"""Requests of the contract as arguments of the client, and what it answers as responses of the contract."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp

import chatbridge.v1
from chatbridge.v1 import AgentEventsRequest, ChangeAgentEventsRequest, CreateSubscriptionRequest, Subscription


class Method:
    """An RPC of the contract, such as `chatbridge.v1.ConversationService/SendMessage`."""

    def __init__(self, path: str) -> None:
        """Finds it in the contract."""
        service, _, rpc = path.partition("/")
        module = re.sub(r"(?<!^)(?=[A-Z])", "_", service.rpartition(".")[2]).lower()
        descriptors = __import__(f"chatbridge.v1.{module}_pb2", fromlist=["DESCRIPTOR"]).DESCRIPTOR
        self._descriptor = descriptors.services_by_name[service.rpartition(".")[2]].methods_by_name[rpc]
        self.name = re.sub(r"(?<!^)(?=[A-Z])", "_", rpc).lower()

    def request(self, encoded: bytes) -> Message:
        """A request of it."""
        return GetMessageClass(self._descriptor.input_type).FromString(encoded)

    def response(self, answer: Any) -> Message:
        """The response that has what the client's method answers, which is the response or its one field."""
        kind = GetMessageClass(self._descriptor.output_type)
        if isinstance(answer, kind):
            return answer
        response = kind()
        if answer is not None:
            (field,) = kind.DESCRIPTOR.fields
            if isinstance(answer, Message):
                getattr(response, field.name).CopyFrom(answer)
            else:
                setattr(response, field.name, answer)
        return response


def arguments(function: Callable[..., Any], request: Message) -> dict[str, Any]:
    """The arguments with which a method makes this request."""
    given = _flat(request)
    parameters = inspect.signature(function).parameters
    if unknown := set(given) - set(parameters):
        raise TypeError(f"{function.__name__} takes no {', '.join(sorted(unknown))}")
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and name not in given:
            field = type(request).DESCRIPTOR.fields_by_name.get(name)
            given[name] = getattr(request, name) if field else ""
    return given


def _flat(request: Message) -> dict[str, Any]:
    if isinstance(request, CreateSubscriptionRequest):
        given = _fields(request.subscription)
        given["kind"] = given.pop("type", 0)
        if request.subscription.HasField("lease"):
            given["lease"] = request.subscription.lease.ToTimedelta()
        return {**given, **({"tenant": request.tenant} if request.tenant else {})}
    given = _fields(request)
    if isinstance(request, chatbridge.v1.UpdateConversationRequest):
        given |= _fields(given.pop("conversation", chatbridge.v1.Conversation()))
        given["update_mask"] = list(request.update_mask.paths)
    if isinstance(request, ChangeAgentEventsRequest):
        given = {name.removesuffix("_conversation_ids"): value for name, value in given.items()}
    return given


def _fields(message: Message) -> dict[str, Any]:
    given = {field.name: _plain(value) for field, value in message.ListFields()}
    if isinstance(message, AgentEventsRequest | ChangeAgentEventsRequest | Subscription):
        start = message.WhichOneof("start")
        given = {name: value for name, value in given.items() if name not in ("cursor", "position", "time")}
        if start is not None:
            given["start"] = _plain(getattr(message, start))
    return given


def _plain(value: Any) -> Any:
    if isinstance(value, Timestamp):
        return value.ToDatetime(tzinfo=timezone.utc)
    if isinstance(value, str | bytes | bool | int | float | Message | datetime):
        return value
    return dict(value) if hasattr(value, "items") else list(value)
