"""Any client that speaks server reflection can call everything, with nothing of ours."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

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
    "chatbridge.v1.AttachmentService",
    "chatbridge.v1.ConfigurationService",
    "chatbridge.v1.ConversationService",
    "chatbridge.v1.SessionService",
    "chatbridge.v1.SubscriptionService",
}


@pytest.fixture(scope="module")
def channel(dev_in_memory: Mapping[str, str]) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(dev_in_memory["grpc"]) as channel:
        yield channel


@pytest.fixture(scope="module")
def database(channel: grpc.Channel) -> ProtoReflectionDescriptorDatabase:
    return ProtoReflectionDescriptorDatabase(channel)


# What others need an identifier from comes first, in this order; what takes something away comes last.
FIRST = (
    "CreateConversation",
    "SendMessage",
    "ListMessages",
    "ListCards",
    "UploadAttachment",
    "CreateWebhook",
    "CreateChannel",
    "CreateSubscription",
    "AgentEvents",
)
LAST = ("DeleteSubscription", "DeleteChannel", "DeleteWebhook", "EndConversation", "EraseConversation")
# The sandbox draws its key when it starts, and shows its identifier to nobody but receivers of webhooks.
# No stream of the subscription was opened, and only its cursors can be committed.
ANSWERED_WITH = {
    "GetSigningKey": grpc.StatusCode.NOT_FOUND,
    "CommitCursor": grpc.StatusCode.INVALID_ARGUMENT,
}

FILE = b"a file"
FILE_START = {
    "fileName": "note.txt",
    "mediaType": "text/plain",
    "sizeBytes": len(FILE),
    "authorType": "AUTHOR_TYPE_USER",
}
FILE_CHUNK = {"chunk": b64encode(FILE).decode()}
CARD = {
    "contentType": "application/vnd.microsoft.card.adaptive",
    "content": {"type": "AdaptiveCard", "version": "1.3", "body": [{"type": "TextBlock", "text": "Here"}]},
}


def order(method: MethodDescriptor) -> int:
    if method.name in FIRST:
        return FIRST.index(method.name) - len(FIRST)
    return LAST.index(method.name) + 1 if method.name in LAST else 0


def requests(
    known: Mapping[str, str], webhook_address: str
) -> Mapping[str, Mapping[str, Any] | Sequence[Mapping[str, Any]]]:
    """What each RPC needs to succeed, as JSON; nothing for those that are not here. Streams are lists."""
    this = {"conversationId": known.get("conversation", "")}
    customer = {"channelId": "sandbox-chat", "user": {"userId": "ada-1", "name": "Ada"}}
    message = {**this, "messageId": known.get("message", "")}
    card = {**this, "cardId": known.get("card", "")}
    file = {**this, "attachmentId": known.get("attachment", "")}
    uri = f"http://{webhook_address}/webhooks/8x8"
    webhook = {"id": known.get("webhook", ""), "name": "mine", "uri": uri}
    channel = {
        "id": known.get("channel", ""),
        "name": "mine",
        "webhookId": known.get("webhook", ""),
        "queueId": "100",
    }
    queue = {"type": "ASSIGNMENT_TYPE_QUEUE", "id": "200"}
    return {
        "CreateConversation": customer,
        "FindOrCreateConversation": customer,
        "HandOverConversation": [
            {"start": customer},
            {"file": {**FILE_START, "text": "A file"}},
            FILE_CHUNK,
        ],
        "GetConversation": this,
        "UpdateConversation": {
            **this,
            "conversation": {"user": {"language": "de"}},
            "updateMask": "user.language",
        },
        "ReplaceConversation": {"conversation": {**this, **customer}},
        "TransferConversation": {"conversationId": known.get("unserved", ""), "assignment": queue},
        "ListInteractions": this,
        "CreatePostAgentAssignment": {**this, "webhookId": known.get("webhook", "")},
        "EndConversation": this,
        "SendMessage": {**this, "message": {"authorType": "AUTHOR_TYPE_USER", "text": "Here", "cards": [CARD]}},
        "GetMessage": message,
        "ListMessages": this,
        "ListCards": message,
        "SubmitCardAction": card,
        "ExecuteCardAction": card,
        "SendTypingIndicator": {**this, "authorType": "AUTHOR_TYPE_USER"},
        "SendThinkingIndicator": this,
        "SendReadReceipt": {**this, "authorType": "AUTHOR_TYPE_USER"},
        "ListParticipants": this,
        "UploadAttachment": [{"start": {**this, **FILE_START}}, FILE_CHUNK],
        "DownloadAttachment": file,
        "GetAttachment": file,
        "ListAttachments": this,
        "CreateWebhook": {"webhook": webhook},
        "GetWebhook": {"webhookId": webhook["id"]},
        "ReplaceWebhook": {"webhook": webhook},
        "DeleteWebhook": {"webhookId": webhook["id"]},
        "VerifyWebhook": {"uri": uri},
        "CreateChannel": {"channel": channel},
        "GetChannel": {"channelId": channel["id"]},
        "ReplaceChannel": {"channel": channel},
        "DeleteChannel": {"channelId": channel["id"]},
        "GetSigningKey": {"keyId": "no-such-key"},
        "GetSession": this,
        "EraseConversation": this,
        "AgentEvents": {"conversationIds": list(this.values()), "changeable": True},
        "ChangeAgentEvents": {"streamId": known.get("stream", ""), "removeConversationIds": list(this.values())},
        "CreateSubscription": {"subscription": {"name": "mine", "type": "SUBSCRIPTION_TYPE_SHARED"}},
        "GetSubscription": {"name": "mine"},
        "DeleteSubscription": {"name": "mine"},
        "CommitCursor": {"subscription": "mine", "cursor": "AA=="},
    }


def learned(method: str, response: Mapping[str, Any]) -> Mapping[str, str]:
    """The identifiers in a response that other requests need."""
    match method:
        case "CreateConversation":
            return {"conversation": response["conversationId"]}
        case "ListMessages":
            return {"message": next(m["id"] for m in response["messages"] if m.get("cards"))}
        case "ListCards":
            return {"card": response["cards"][0]["id"]}
        case "UploadAttachment":
            return {"attachment": response["attachment"]["id"]}
        case "CreateWebhook":
            return {"webhook": response["webhook"]["id"]}
        case "CreateChannel":
            return {"channel": response["channel"]["id"]}
        case "AgentEvents":
            return {"stream": response["heartbeat"]["streamId"]}
        case _:
            return {}


def call(
    channel: grpc.Channel,
    method: MethodDescriptor,
    request: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    streams: list[Iterator[Message]],
) -> dict[str, Any]:
    """Calls `method` with messages made from its descriptor; the first response, as JSON.

    A stream of responses is added to `streams`: it is open for as long as somebody holds it.
    """
    request_class: type[Message] = GetMessageClass(method.input_type)
    response_class: type[Message] = GetMessageClass(method.output_type)
    path = f"/{method.containing_service.full_name}/{method.name}"
    encode, decode = request_class.SerializeToString, response_class.FromString
    if method.client_streaming:
        messages = [ParseDict(dict(each), request_class()) for each in cast(Sequence[Mapping[str, Any]], request)]
        send = channel.stream_unary(path, request_serializer=encode, response_deserializer=decode)
        return MessageToDict(send(iter(messages), timeout=TIMEOUT_S))
    message = ParseDict(dict(cast(Mapping[str, Any], request)), request_class())
    if method.server_streaming:
        open_stream = channel.unary_stream(path, request_serializer=encode, response_deserializer=decode)
        stream = open_stream(message, timeout=TIMEOUT_S)
        response = next(stream)
        streams.append(stream)
    else:
        invoke = channel.unary_unary(path, request_serializer=encode, response_deserializer=decode)
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
    dev_in_memory: Mapping[str, str], channel: grpc.Channel, database: ProtoReflectionDescriptorDatabase
) -> None:
    pool = DescriptorPool(database)
    names = [name for name in database.get_services() if not name.startswith("grpc.reflection.")]
    methods = [method for name in names for method in pool.FindServiceByName(name).methods]
    called = {f"{method.containing_service.full_name}.{method.name}" for method in methods}
    assert "chatbridge.v1.AgentEventService.AgentEvents" in called

    create = next(method for method in methods if method.name == "CreateConversation")
    # The script holds it, so that no agent takes it before it is transferred.
    script = {"type": "ASSIGNMENT_TYPE_SCRIPT", "id": "bot"}
    streams: list[Iterator[Message]] = []
    unserved = call(
        channel, create, {"channelId": "sandbox-chat", "user": {"name": "Ben"}, "assignment": script}, streams
    )
    known = {"unserved": unserved["conversationId"]}
    for method in sorted(methods, key=order):
        request = requests(known, dev_in_memory["webhook"]).get(method.name, {})
        expected = ANSWERED_WITH.get(method.name, grpc.StatusCode.OK)
        try:
            response, code = call(channel, method, request, streams), grpc.StatusCode.OK
        except grpc.RpcError as error:
            response, code = {"error": str(error)}, cast(grpc.Call, error).code()
        if code != expected:
            pytest.fail(f"{method.full_name}: {response}")
        if code != grpc.StatusCode.OK:
            continue
        known |= learned(method.name, response)
        if method.name == "AgentEvents":
            assert "heartbeat" in response
            assert response["cursor"]
        if method.name == "GetSession":
            assert response["session"]["conversationId"] == known["conversation"]
        if method.name == "EraseConversation":
            assert int(response["erasedEvents"]) > 0
        if method.name == "HandOverConversation":
            assert [file["messageAccepted"] for file in response["files"]] == [True]
        if method.name == "DownloadAttachment":
            assert response["start"]["fileName"] == "note.txt"


def test_health_is_served(channel: grpc.Channel) -> None:
    stub = health_pb2_grpc.HealthStub(channel)  # type: ignore[no-untyped-call]
    for service in ["", *sorted(OWN_SERVICES)]:
        answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=TIMEOUT_S)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING, service
