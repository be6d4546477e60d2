"""Any client that speaks server reflection can call everything, with nothing of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

TIMEOUT_S = 30.0
OWN_SERVICES = {
    "chatbridge.v1.AgentEventService",
    "chatbridge.v1.ConversationService",
    "chatbridge.v1.SessionService",
}


@pytest.fixture(scope="module")
def channel(dev_in_memory: Mapping[str, str]) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(dev_in_memory["grpc"]) as channel:
        yield channel


@pytest.fixture(scope="module")
def database(channel: grpc.Channel) -> ProtoReflectionDescriptorDatabase:
    return ProtoReflectionDescriptorDatabase(channel)


def requests(conversation_id: str) -> Mapping[str, Mapping[str, Any]]:
    """What each RPC needs to succeed, as JSON; nothing for those that are not here."""
    this = {"conversationId": conversation_id}
    return {
        "CreateConversation": {"channelId": "sandbox-chat", "user": {"name": "Ada"}},
        "GetConversation": this,
        "UpdateConversation": {
            **this,
            "conversation": {"user": {"language": "de"}},
            "updateMask": "user.language",
        },
        "EndConversation": this,
        "SendMessage": {**this, "message": {"authorType": "AUTHOR_TYPE_USER", "text": "Hello"}},
        "ListMessages": this,
        "SendTypingIndicator": {**this, "authorType": "AUTHOR_TYPE_USER"},
        "GetSession": this,
    }


def call(channel: grpc.Channel, method: MethodDescriptor, request: Mapping[str, Any]) -> dict[str, Any]:
    """Calls `method` with a message made from its descriptor; the first response, as JSON."""
    request_class: type[Message] = GetMessageClass(method.input_type)
    response_class: type[Message] = GetMessageClass(method.output_type)
    path = f"/{method.containing_service.full_name}/{method.name}"
    message = ParseDict(dict(request), request_class())
    if method.server_streaming:
        open_stream = channel.unary_stream(
            path, request_serializer=request_class.SerializeToString, response_deserializer=response_class.FromString
        )
        stream = open_stream(message, timeout=TIMEOUT_S)
        response = next(iter(stream))
        stream.cancel()
    else:
        invoke = channel.unary_unary(
            path, request_serializer=request_class.SerializeToString, response_deserializer=response_class.FromString
        )
        response = invoke(message, timeout=TIMEOUT_S)
    return MessageToDict(response)


def test_both_versions_of_reflection_list_the_same_services(
    channel: grpc.Channel, database: ProtoReflectionDescriptorDatabase
) -> None:
    # No Python package has v1 yet; its messages are those of v1alpha byte for byte.
    ask = channel.stream_stream(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    answer = next(iter(ask(iter([request]), timeout=TIMEOUT_S)))
    listed = {service.name for service in answer.list_services_response.service}
    own_and_health = OWN_SERVICES | {"grpc.health.v1.Health"}
    assert own_and_health <= listed
    assert own_and_health <= set(database.get_services())


def test_every_rpc_can_be_called_from_its_reflected_description(
    channel: grpc.Channel, database: ProtoReflectionDescriptorDatabase
) -> None:
    pool = DescriptorPool(database)
    names = [name for name in database.get_services() if not name.startswith("grpc.reflection.")]
    methods = [method for name in names for method in pool.FindServiceByName(name).methods]
    called = {f"{method.containing_service.full_name}.{method.name}" for method in methods}
    assert "chatbridge.v1.AgentEventService.AgentEvents" in called

    create = next(method for method in methods if method.name == "CreateConversation")
    created = call(channel, create, requests("")["CreateConversation"])
    needed = requests(created["conversationId"])
    # What ends the conversation comes last.
    for method in sorted(methods, key=lambda method: method.name == "EndConversation"):
        try:
            response = call(channel, method, needed.get(method.name, {}))
        except grpc.RpcError as error:
            pytest.fail(f"{method.full_name}: {error}")
        if method.name == "AgentEvents":
            assert "heartbeat" in response
            assert response["cursor"]
        if method.name == "GetSession":
            assert response["session"]["conversationId"] == created["conversationId"]


def test_health_is_served(channel: grpc.Channel) -> None:
    stub = health_pb2_grpc.HealthStub(channel)  # type: ignore[no-untyped-call]
    for service in ["", *sorted(OWN_SERVICES)]:
        answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=TIMEOUT_S)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING, service
