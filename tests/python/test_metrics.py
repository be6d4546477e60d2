"""The metrics that docs/metrics.md names, against those that a service shows that had to do with everything."""

import asyncio
import json
import re
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from chatbridge import AgentEvents, Chatbridge, ChatbridgeError, to_queue
from chatbridge.v1 import AgentEventsResponse, SessionState, User

from certificates import self_signed
from old_client import OldClient, chat_v2_settings, taking_all
from processes import running_dev, running_redis, running_replica

ROOT = Path(__file__).resolve().parents[2]
CHANNEL = "sandbox-chat"
WAIT_S = 60.0
# Counted once a minute, which the integration tests of encryption look at.
NOT_SHOWN_SOON = {"chatbridge_data_keys"}
ROW = re.compile(r"^\| `(?P<name>[a-z0-9_]+)` \| (?P<type>counter|gauge|histogram) \|(?P<labels>[^|]*)\| [^|]+ \|$")


@dataclass(frozen=True)
class Family:
    """What is known of a metric."""

    type: str
    labels: frozenset[str]


def documented() -> dict[str, Family]:
    """The tables of docs/metrics.md."""
    found = {}
    for line in (ROOT / "docs/metrics.md").read_text().splitlines():
        if row := ROW.match(line):
            found[row["name"]] = Family(row["type"], frozenset(re.findall(r"`(\w+)`", row["labels"])))
        else:
            assert not re.match(r"^\| `", line), f"a row that cannot be read: {line}"
    return found


def shown(text: str) -> dict[str, Family]:
    """What a service shows, in the text format of Prometheus."""
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    labels: dict[str, set[str]] = {name: set() for name in types}
    for line in text.splitlines():
        if not (sample := re.match(r"^([a-z0-9_]+)(?:\{(.*)\})? \S+$", line)):
            continue
        name = sample[1] if sample[1] in types else re.sub(r"_(bucket|sum|count)$", "", sample[1])
        labels[name] |= set(re.findall(r"(\w+)=\"", sample[2] or "")) - {"le"}
    return {name: Family(types[name], frozenset(labels[name])) for name in types}


def scrape(addresses: Mapping[str, str]) -> str:
    """The metrics of a service."""
    with urllib.request.urlopen(f"http://{addresses['admin']}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


def sandbox(addresses: Mapping[str, str], method: str, body: Mapping[str, object] | None = None) -> None:
    """Sets a fault of the sandbox, or ends all."""
    url = f"http://{addresses['sandbox']}/sandbox/v1/faults"
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, {"content-type": "application/json"}, method=method)
    urllib.request.urlopen(request, timeout=10).close()


@dataclass(frozen=True)
class Served:
    """Two replicas: their addresses by name, and those of the sandbox; the encrypted one serves an old client."""

    dev: Mapping[str, str]
    encrypted: Mapping[str, str]
    # That of the encrypted one.
    certificate: Path
    old_client: OldClient

    def scrape(self) -> str:
        """The metrics of both, one after the other."""
        return scrape(self.dev) + scrape(self.encrypted)


@contextmanager
def running_two_replicas(directories: pytest.TempPathFactory, settings: Mapping[str, str]) -> Iterator[Served]:
    directory = directories.mktemp("replica")
    certificate, key = self_signed(directory)
    tls = {"CHATBRIDGE_GRPC_TLS_CERT_FILE": str(certificate), "CHATBRIDGE_GRPC_TLS_KEY_FILE": str(key)}
    with (
        running_redis(directories.mktemp("redis")) as redis_url,
        running_dev(directories.mktemp("dev"), redis_url, settings) as dev,
        running_replica(directory, redis_url, dev["sandbox"], tls | chat_v2_settings(directory)) as encrypted,
        taking_all() as webhook,
    ):
        yield Served(dev, encrypted, certificate, OldClient(encrypted["chat_v2"], webhook))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`chatbridge dev` with a Redis, and beside it a replica whose gRPC port is encrypted."""
    with running_two_replicas(tmp_path_factory, {}) as served:
        yield served


async def until(stream: AgentEvents, matches: Callable[[AgentEventsResponse], bool]) -> None:
    async def read() -> None:
        async for response in stream:
            if matches(response):
                return
        raise AssertionError("the stream ended")

    await asyncio.wait_for(read(), WAIT_S)


async def contact(chatbridge: Chatbridge) -> None:
    """A conversation from the queue to an agent who answers, and to its end."""
    created = await chatbridge.create_conversation(CHANNEL, user=User(name="Ada"), assignment=to_queue("100"))
    conversation = created.conversation_id
    async with chatbridge.agent_events([conversation], start=created.cursor) as stream:
        await until(stream, lambda response: response.event.message.text != "")
        await chatbridge.send_message(conversation, "Thanks, bye")
        await until(stream, lambda response: response.event.state == SessionState.SESSION_STATE_IDLE)


async def left_alone(chatbridge: Chatbridge, addresses: Mapping[str, str]) -> None:
    """Has the vendor fail until it is left alone."""
    sandbox(addresses, "POST", {"kind": "status", "status": 503})
    reasons = set()
    for _ in range(100):
        with pytest.raises(ChatbridgeError) as caught:
            await chatbridge.get_conversation("c1")
        reasons.add(caught.value.reason)
        if "UPSTREAM_CIRCUIT_OPEN" in reasons:
            break
    sandbox(addresses, "DELETE")
    assert "UPSTREAM_CIRCUIT_OPEN" in reasons, reasons


async def test_every_metric_is_documented_and_every_documented_metric_is_shown(served: Served) -> None:
    await asyncio.to_thread(served.old_client.contact)
    async with Chatbridge(served.dev["grpc"]) as chatbridge:
        await contact(chatbridge)
        await left_alone(chatbridge, served.dev)

    async def all_shown() -> str:
        # What Redis says of itself is asked every 15 seconds, and the first time at once.
        while True:
            text = served.scrape()
            if set(documented()) - NOT_SHOWN_SOON <= set(shown(text)):
                return text
            await asyncio.sleep(0.2)

    try:
        text = await asyncio.wait_for(all_shown(), WAIT_S)
    except TimeoutError:
        text = served.scrape()
    expected = {name: family for name, family in documented().items() if name not in NOT_SHOWN_SOON}
    assert {name: family for name, family in shown(text).items() if name not in NOT_SHOWN_SOON} == expected


def samples(text: str, pattern: str) -> dict[str, float]:
    """Samples whose names and labels match, by those, of all replicas together."""
    found: dict[str, float] = {}
    for name, value in re.findall(rf"^({pattern}) (\S+)$", text, re.MULTILINE):
        found[name] = found.get(name, 0.0) + float(value)
    return found


async def comes_to_be(now: Callable[[], dict[str, float]], expected: dict[str, float]) -> None:
    """Waits until it is so: what a call or an event caused may be counted a moment after it was answered."""
    for _ in range(600):
        if now() == expected:
            return
        await asyncio.sleep(0.1)
    assert now() == expected


async def test_what_customers_wait_is_counted_once_by_all_replicas(served: Served) -> None:
    def counts() -> dict[str, float]:
        outcome = r"(?:\{outcome=\"(?:answered|handled)\"\})?"
        return samples(served.scrape(), rf"chatbridge_session_[a-z_]+_(?:count|total){outcome}")

    async with Chatbridge(served.dev["grpc"]) as chatbridge:
        before = counts()
        assert len(before) == 4, before
        for _ in range(3):
            await contact(chatbridge)
        await comes_to_be(counts, {name: count + 3 for name, count in before.items()})


async def test_calls_are_measured_however_they_end(served: Served) -> None:
    def counts() -> dict[str, float]:
        return samples(scrape(served.encrypted), r"rpc_server_call_duration_seconds_count\{.*\}")

    def named(method: str, status: str) -> str:
        labels = f'rpc_system_name="grpc",rpc_method="{method}",rpc_response_status_code="{status}"'
        return f"rpc_server_call_duration_seconds_count{{{labels}}}"

    assert counts() == {}
    certificate = served.certificate
    async with Chatbridge(served.encrypted["grpc"], tls=True, ca=certificate) as chatbridge:
        await chatbridge.list_channels()
        with pytest.raises(ChatbridgeError):
            await chatbridge.get_session("there is none")
        # A stream whose client goes away before it ends.
        async with chatbridge.agent_events(["c1"]) as stream:
            await until(stream, lambda response: response.HasField("heartbeat"))
    credentials = grpc.ssl_channel_credentials(certificate.read_bytes())
    async with grpc.aio.secure_channel(served.encrypted["grpc"], credentials) as channel:
        for method in ("/chatbridge.v1.SessionService/Nothing", "/made.Up/AtWill"):
            call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
            with pytest.raises(grpc.aio.AioRpcError):
                await call(b"")
    expected = {
        named("chatbridge.v1.ConfigurationService/ListChannels", "OK"): 1.0,
        named("chatbridge.v1.SessionService/GetSession", "NOT_FOUND"): 1.0,
        named("chatbridge.v1.AgentEventService/AgentEvents", "CANCELLED"): 1.0,
        named("_OTHER", "UNIMPLEMENTED"): 2.0,
    }
    await comes_to_be(counts, expected)
