"""Starts Chatbridge with Chat API v2 and the sandbox behind it, and acts as the sandbox's agents."""

from __future__ import annotations

import json
import secrets
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from chat_v2_client import ChatApi
from processes import binary, running_sandbox, running_serve

WAIT_S = 60.0
T = TypeVar("T")
CLIENT_SECRET = secrets.token_urlsafe(24)
AGENTS = {"maria": "María López", "ivan": "Ivan Horvat"}


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

    def control(self, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        """Asks the sandbox itself; its answer."""
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named.setdefault("content-type", "application/json")
        request = urllib.request.Request(self._sandbox + path, data, named, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        shown: dict[str, Any] = json.loads(text) if text else {}
        return shown

    def upstream_event(self, event_id: str) -> dict[str, Any]:
        """What 8x8, here the sandbox, told Chatbridge of an event."""
        shown = self.control("GET", f"/deliveries/{urllib.parse.quote(event_id, safe='')}")
        event: dict[str, Any] = json.loads(shown["body"])
        return event

    def sits(self, agent: str, conversation: str, action: Mapping[str, Any]) -> None:
        """Does something as a person who is signed in as an agent."""
        self.control("POST", f"/agents/{agent}/conversations/{conversation}", action)


@contextmanager
def running_chat_v2(directory: Path) -> Iterator[Service]:
    """The service, of which 8x8's side is a sandbox without pauses."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (directory / "signing.pem").write_bytes(pem)
    (directory / "agents.json").write_text(json.dumps(AGENTS))
    hashed = subprocess.run(
        [str(binary()), "token", "--hash"], input=CLIENT_SECRET, capture_output=True, text=True, check=True
    ).stdout.strip()
    own = directory / "sandbox"
    own.mkdir()
    with running_sandbox(own, "http://127.0.0.1:9/not-yet") as sandbox:
        settings = f"""
tenant = "sandbox"
api_key = "sandbox-key"
gateway_url = "http://{sandbox["sandbox"]}"
redis_url = "memory:"
webhook_id = "sandbox-webhook"
agent_names_file = "{directory / "agents.json"}"
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
