"""The sandbox signs its webhooks as the vendor does, by the word of a library that is not ours."""

from __future__ import annotations

import base64
import json
import threading
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import RSAKey

from processes import running_sandbox

WAIT_S = 60.0
HEADERS = {"x-api-key": "sandbox-key", "X-8x8-Tenant": "sandbox"}


@dataclass(frozen=True)
class Delivery:
    """One webhook, as received."""

    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def event_id(self) -> str:
        """Equal across the deliveries of one event."""
        return self.headers["x-8x8-event-id"]

    @property
    def retry(self) -> int:
        """Counts the deliveries of one event, from 0."""
        return int(self.headers["x-8x8-retry"])

    @property
    def sent_ms(self) -> int:
        """When it was sent, by the sender's clock."""
        return int(self.headers["x-8x8-transmission-time"])

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)

    def signed_payload(self) -> str:
        """What the signature covers, put together here from what was received."""
        return (
            f'{{"checksum":{zlib.crc32(self.body)},"cid":"{self.headers["x-8x8-customer-id"]}",'
            f'"eid":"{self.event_id}","retry":{self.retry},"tid":"{self.headers["x-8x8-tenant-id"]}",'
            f'"tt":{self.sent_ms}}}'
        )


@dataclass
class Receiver:
    """A webhook that refuses the first delivery of the first message and takes everything else."""

    deliveries: list[Delivery] = field(default_factory=list)
    refused: Delivery | None = None
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, delivery: Delivery) -> int:
        """Records `delivery` and gives the HTTP status to answer with."""
        with self.changed:
            self.deliveries.append(delivery)
            refuse = self.refused is None and delivery.json["eventType"] == "MESSAGE"
            if refuse:
                self.refused = delivery
            self.changed.notify_all()
        return 500 if refuse else 204

    def of(self, conversation_id: str) -> list[Delivery]:
        """What came for one conversation."""
        return [delivery for delivery in self.deliveries if delivery.json.get("conversationId") == conversation_id]

    def deliveries_of_refused(self) -> list[Delivery]:
        """Every delivery of the event that was refused once."""
        refused = self.refused
        if refused is None:
            return []
        return [delivery for delivery in self.deliveries if delivery.event_id == refused.event_id]

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Waits until `condition` holds over what was received."""
        with self.changed:
            held = self.changed.wait_for(condition, WAIT_S)
        assert held, [(delivery.json["eventType"], delivery.retry) for delivery in self.deliveries]


@contextmanager
def listening(receiver: Receiver) -> Iterator[str]:
    """Serves `receiver` on loopback; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(receiver.take(Delivery(headers, body)))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/webhooks/8x8"
        finally:
            server.shutdown()
            thread.join()


def ask(sandbox: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """One call of the sandbox's REST API; the answer's JSON."""
    request = urllib.request.Request(
        f"http://{sandbox}/chat-gateway/v1{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={**HEADERS, "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
        return json.load(answer)


def protected_header(signature: str) -> Any:
    """The protected header of a compact JWS, after checks of its outer form."""
    header, payload, _ = signature.split(".")
    assert payload == "", "the payload must be detached"
    return json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))


def key_of(sandbox: str, kid: str) -> RSAKey:
    """The public key, from where the vendor publishes it."""
    jwk = ask(sandbox, f"/jwk/{kid}/public")
    # The vendor's own description leaves open whether it is an object or a string that holds one.
    parameters = json.loads(jwk) if isinstance(jwk, str) else jwk
    assert "d" not in parameters, "the private key was published"
    key: RSAKey = RSAKey.import_key(parameters)
    return key


def verify(delivery: Delivery, payload: str, key: RSAKey) -> None:
    """Verifies the detached, unencoded signature over `payload`; raises where it is wrong."""
    jws.deserialize_compact(delivery.headers["x-8x8-signature"], key, algorithms=["RS256"], payload=payload)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


def test_every_delivery_is_signed_and_a_refused_one_comes_again(tmp_path: Path, receiver: Receiver) -> None:
    with listening(receiver) as url, running_sandbox(tmp_path, url) as addresses:
        sandbox = addresses["sandbox"]
        created = ask(
            sandbox,
            "/conversations",
            {
                "channelId": "sandbox-chat",
                "user": {"name": "Zoë"},
                "assignment": {"type": "queue", "id": "100"},
                "history": {"messages": [{"authorType": "user", "text": "A person, please."}]},
            },
        )
        conversation_id = created["conversationId"]
        receiver.wait_for(lambda: len(receiver.deliveries_of_refused()) > 1)
        deliveries = receiver.of(conversation_id)
        key = key_of(sandbox, protected_header(deliveries[0].headers["x-8x8-signature"])["kid"])

    for delivery in deliveries:
        header = protected_header(delivery.headers["x-8x8-signature"])
        assert header == {"b64": False, "crit": ["b64"], "kid": key.kid, "alg": "RS256"}
        assert delivery.headers["x-8x8-tenant-id"] == "sandbox"
        verify(delivery, delivery.signed_payload(), key)
        with pytest.raises(BadSignatureError):
            verify(delivery, Delivery(delivery.headers, delivery.body + b" ").signed_payload(), key)

    kinds = {delivery.json["eventType"] for delivery in deliveries}
    assert {"CONVERSATION_UPDATE", "QUEUED", "MEMBERS_CHANGED", "MESSAGE"} <= kinds
    first, again = receiver.deliveries_of_refused()
    assert (first.retry, again.retry) == (0, 1)
    assert first.body == again.body
    assert again.sent_ms >= first.sent_ms
    others = [delivery.event_id for delivery in deliveries if delivery.event_id != first.event_id]
    assert len(others) == len(set(others)), "an event that was taken came again"
