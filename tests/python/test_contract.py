"""The contract as a file is enough for a language that has no client here: nothing needs to be generated."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> descriptor_pool.DescriptorPool:
    directory = tmp_path_factory.mktemp("contract")
    subprocess.run([_ROOT / "scripts/contract.sh", "export", directory], check=True, stdout=subprocess.DEVNULL)
    files = descriptor_pb2.FileDescriptorSet.FromString((directory / "chatbridge.v1.binpb").read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        # In the order of the set: what a file imports comes before it.
        pool.Add(file)
    return pool


def test_a_call_and_a_stream_need_the_descriptor_set_alone(
    pool: descriptor_pool.DescriptorPool, dev_in_memory: Mapping[str, str]
) -> None:
    with grpc.insecure_channel(dev_in_memory["grpc"]) as channel:
        create = _rpc(channel, pool, "chatbridge.v1.ConversationService", "CreateConversation")
        answer = create({"channelId": "sandbox-chat", "user": {"name": "Ada"}})
        events = _rpc(channel, pool, "chatbridge.v1.AgentEventService", "AgentEvents")
        stream = events({"conversationIds": [answer["conversationId"]], "cursor": answer["cursor"]})
        kinds = [next(iter(set(response) - {"cursor"})) for response, _ in zip(stream, range(2), strict=False)]
        stream.cancel()
    assert kinds == ["heartbeat", "event"]


def test_a_client_learns_from_it_what_may_be_repeated(pool: descriptor_pool.DescriptorPool) -> None:
    levels = {
        method.name: method.GetOptions().idempotency_level
        for method in pool.FindServiceByName("chatbridge.v1.ConversationService").methods
    }
    options = descriptor_pb2.MethodOptions
    assert levels["GetConversation"] == options.NO_SIDE_EFFECTS
    assert levels["SendMessage"] == options.IDEMPOTENT
    assert levels["SubmitCardAction"] == options.IDEMPOTENCY_UNKNOWN


class _Answers:
    """A stream of answers, each as JSON has it."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def __iter__(self) -> "_Answers":
        return self

    def __next__(self) -> dict[str, Any]:
        return json_format.MessageToDict(next(self._call))

    def cancel(self) -> None:
        self._call.cancel()


def _rpc(channel: grpc.Channel, pool: descriptor_pool.DescriptorPool, service: str, name: str) -> Any:
    """A call by its name, whose request and answer are what JSON has."""
    method = pool.FindServiceByName(service).FindMethodByName(name)
    request_class = message_factory.GetMessageClass(method.input_type)
    response_class = message_factory.GetMessageClass(method.output_type)
    make = channel.unary_stream if method.server_streaming else channel.unary_unary
    call: Any = make(
        f"/{service}/{name}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=response_class.FromString,
    )

    def made(request: Mapping[str, Any]) -> Any:
        answer = call(json_format.ParseDict(dict(request), request_class()), timeout=15)
        return _Answers(answer) if method.server_streaming else json_format.MessageToDict(answer)

    return made
