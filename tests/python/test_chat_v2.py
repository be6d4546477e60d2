"""A client of Chat API v2 runs unchanged against Chatbridge, with the sandbox's agents behind it."""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
import threading
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import RSAKey

from chat_v2_client import ChatApi, ChatApiError
from processes import binary, running_sandbox, running_serve

WAIT_S = 60.0
T = TypeVar("T")
CLIENT_SECRET = secrets.token_urlsafe(24)
HISTORY = [{"type": "bot", "text": "How can I help?"}, {"type": "user", "text": "A person, please."}]


def until(condition: Callable[[], T], what: str) -> T:
    """What `condition` answers once it is true."""
    deadline_s = time.monotonic() + WAIT_S
    while not (found := condition()):
        assert time.monotonic() < deadline_s, f"waited in vain: {what}"
        time.sleep(0.05)
    return found


class Service:
    """Chatbridge with Chat API v2, and its sandbox."""

    def __init__(self, chat_v2: str, sandbox: str, admin: str) -> None:
        """By their addresses."""
        self.api = ChatApi(
            f"http://{chat_v2}", tenant="sandbox", client_id="college-app", client_secret=CLIENT_SECRET
        )
        self._admin = admin
        self._sandbox = f"http://{sandbox}/sandbox/v1"

    def metrics(self) -> str:
        """What Prometheus would read."""
        with urllib.request.urlopen(f"http://{self._admin}/metrics", timeout=30) as answer:
            return str(answer.read().decode())

    def control(self, method: str, path: str, body: dict[str, Any]) -> None:
        """Asks the sandbox itself."""
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(self._sandbox + path, json.dumps(body).encode(), headers, method=method)
        urllib.request.urlopen(request, timeout=30).close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    directory = tmp_path_factory.mktemp("chat-v2")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (directory / "signing.pem").write_bytes(pem)
    hashed = subprocess.run(
        [str(binary()), "token", "--hash"], input=CLIENT_SECRET, capture_output=True, text=True, check=True
    ).stdout.strip()
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), "http://127.0.0.1:9/not-yet") as sandbox:
        settings = f"""
tenant = "sandbox"
api_key = "sandbox-key"
gateway_url = "http://{sandbox["sandbox"]}"
redis_url = "memory:"
webhook_id = "sandbox-webhook"
chat_v2_listen = "127.0.0.1:0"
chat_v2_token_secret = "{secrets.token_urlsafe(32)}"
chat_v2_signing_key_file = "{directory / "signing.pem"}"
chat_v2_webhook_allow = "127.0.0.0/8"

[[chat_v2_clients]]
id = "college-app"
secret_sha256 = ["{hashed}"]
tenants = ["sandbox"]
"""
        with running_serve(directory, settings) as addresses:
            service = Service(addresses["chat_v2"], sandbox["sandbox"], addresses["admin"])
            service.control("PUT", "/webhook", {"url": f"http://{addresses['webhook']}/webhooks/8x8"})
            yield service


@contextmanager
def receiver(take: Callable[[dict[str, str], bytes], int]) -> Iterator[str]:
    """Serves a webhook on loopback; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(take({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook"
        finally:
            server.shutdown()
            thread.join()


def texts(messages: list[dict[str, Any]], author_type: str) -> list[str]:
    return [message["originalText"] for message in messages if message["authorType"] == author_type]


def answers(api: ChatApi, conversation: str, to: str) -> list[str]:
    """What agents said to something; the sandbox's repeat it."""
    return [text for text in texts(api.messages(conversation), "agent") if to in text]


def test_a_client_of_v2_from_its_first_request_to_its_customers_leaving(service: Service) -> None:
    api = service.api
    webhook = api.create_webhook("App", "https://app.example/hook")
    channel = api.create_channel("App", webhook["id"], "100")
    assert webhook["id"] in [known["id"] for known in api.webhooks()]
    assert channel in api.channels()

    customer = {"name": "Ada", "customerId": "u-1", "language": "en", "orderId": "4711"}
    conversation = api.create_conversation(channel["id"], customer, HISTORY)
    # The agent joins, sees what the customer brought along, and greets.
    greeting = until(lambda: texts(api.messages(conversation), "agent"), "the agent greets")[0]
    assert "Ada" in greeting
    assert "4711" in greeting
    assert "agent" in [participant["type"] for participant in api.participants(conversation)]
    assert conversation in [known["id"] for known in api.conversations(status="handling", userId="u-1")]

    api.send(conversation, "Where is my parcel?")
    until(lambda: answers(api, conversation, "Where is my parcel?"), "the agent answers")

    service.control("POST", f"/conversations/{conversation}/agent", {"action": "leave"})
    first = until(
        lambda: [one for one in api.conversation(conversation)["interactions"] if "endTime" in one],
        "the agent leaves",
    )[0]
    until(lambda: conversation in [known["id"] for known in api.conversations(status="deleted")], "it is over")

    api.send(conversation, "One thing more.")
    until(lambda: len(api.conversation(conversation)["interactions"]) == 2, "it is queued again")
    second = api.conversation(conversation)["interactions"][1]
    service.control("POST", f"/conversations/{conversation}/agent", {"action": "say", "text": "Here I am."})
    until(lambda: "Here I am." in texts(api.messages(conversation, second["id"]), "agent"), "another agent joins")
    of_the_first = [message["originalText"] for message in api.messages(conversation, first["id"])]
    of_the_second = [message["originalText"] for message in api.messages(conversation, second["id"])]
    assert [said["text"] for said in HISTORY] == of_the_first[:2]
    assert "One thing more." in of_the_second
    assert "Where is my parcel?" not in of_the_second

    api.leave(conversation)
    until(lambda: "endTime" in api.conversation(conversation)["interactions"][1], "the customer has left")
    shown = api.conversation(conversation)
    assert shown["customer"] == customer
    assert shown["startTime"] == first["startTime"]

    with pytest.raises(ChatApiError) as refused:
        api.delete_webhook(webhook["id"])
    assert refused.value.status == 409
    api.delete_channel(channel["id"])
    api.delete_webhook(webhook["id"])
    with pytest.raises(ChatApiError) as refused:
        api.delete_webhook(webhook["id"])
    assert refused.value.status == 404


def test_a_webhook_is_verified_and_its_receiver_trusts_the_signature(service: Service) -> None:
    received: list[tuple[dict[str, str], bytes]] = []

    def take(headers: dict[str, str], body: bytes) -> int:
        received.append((headers, body))
        return 204

    with receiver(take) as uri:
        service.api.verify_webhook(uri)
    [(headers, body)] = received
    assert json.loads(body)["notificationVersion"] == "v2.0"
    protected = headers["x-8x8-signature"].split(".")[0]
    key_id = json.loads(base64.urlsafe_b64decode(protected + "=" * (-len(protected) % 4)))["kid"]
    key = RSAKey.import_key(service.api.public_key(key_id))
    payload = (
        f'{{"checksum":{zlib.crc32(body)},"cid":"{headers["x-8x8-customer-id"]}","eid":"{headers["x-8x8-event-id"]}",'
        f'"retry":{headers["x-8x8-retry"]},"tid":"{headers["x-8x8-tenant-id"]}",'
        f'"tt":{headers["x-8x8-transmission-time"]}}}'
    )
    jws.deserialize_compact(headers["x-8x8-signature"], key, algorithms=["RS256"], payload=payload)
    with pytest.raises(BadSignatureError):
        jws.deserialize_compact(headers["x-8x8-signature"], key, algorithms=["RS256"], payload=payload + " ")


def test_a_wrong_secret_gets_no_token(service: Service) -> None:
    api = ChatApi(service.api.base_url, tenant="sandbox", client_id="college-app", client_secret="wrong")
    with pytest.raises(ChatApiError) as refused:
        api.webhooks()
    assert refused.value.status == 401
    assert refused.value.body["ErrorCode"] == "invalid_client"
    counted = 'chatbridge_chat_v2_requests_total{operation="create_access_token",status="401"}'
    until(lambda: any(line.startswith(counted) for line in service.metrics().splitlines()), "it is counted")
