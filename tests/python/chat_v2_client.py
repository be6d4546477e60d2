"""A client of 8x8's Chat API v2, written from that API's public description alone: it knows nothing of Chatbridge."""

from __future__ import annotations

import base64
import json
import queue
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

# How far the clock of whoever sends an event may be off.
FRESH_S = 300.0


class ChatApiError(Exception):
    """The API refused."""

    def __init__(self, status: int, body: Any) -> None:
        """With the answer's status and body."""
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


class ForgedEventError(Exception):
    """An event was not sent by the API, or not as it came."""


@dataclass(frozen=True)
class WebhookEvent:
    """An event that a webhook was sent."""

    id: str
    retry: int
    sent_ms: int
    tenant: str
    body: dict[str, Any]


class ChatApi:
    """Chat API v2 of one tenant. It gets itself a token, and another one before that ends."""

    def __init__(self, base_url: str, *, tenant: str, client_id: str, client_secret: str, region: str = "us") -> None:
        """For the tenant of this name, with the credentials of an application."""
        self.base_url = base_url.rstrip("/")
        self._root = f"{self.base_url}/vcc/{region}/chat/v2/tenant/{urllib.parse.quote(tenant, safe='')}"
        self._keys = f"{self.base_url}/vcc/{region}/chat/v2/jwk"
        credentials = f"{client_id}:{client_secret}".encode()
        self._basic = "Basic " + base64.b64encode(credentials).decode()
        self._token = ""
        self._token_ends_s = 0.0
        self._known_keys: dict[str, RSAKey] = {}

    def create_webhook(self, name: str, uri: str) -> dict[str, Any]:
        return self._call("POST", "/web-hooks", {"name": name, "uri": uri, "version": "v2.0"})

    def verify_webhook(self, uri: str) -> None:
        self._call("POST", "/web-hooks/verify", {"uri": uri, "version": "v2.0"})

    def webhooks(self) -> list[dict[str, Any]]:
        return self._pages("/web-hooks")

    def delete_webhook(self, webhook_id: str) -> None:
        self._call("DELETE", f"/web-hooks/{webhook_id}")

    def public_key(self, key_id: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self._keys}/{key_id}/public", timeout=30) as answer:
            key: dict[str, Any] = json.load(answer)
            return key

    def read_event(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        """What a webhook was sent, unless it was forged. Names of headers are in lower case."""
        try:
            signature = headers["x-8x8-signature"]
            event = WebhookEvent(
                id=headers["x-8x8-event-id"],
                retry=int(headers["x-8x8-retry"]),
                sent_ms=int(headers["x-8x8-transmission-time"]),
                tenant=headers["x-8x8-tenant-id"],
                body=json.loads(body),
            )
            signed = {
                "checksum": zlib.crc32(body),
                "cid": headers["x-8x8-customer-id"],
                "eid": event.id,
                "retry": event.retry,
                "tid": event.tenant,
                "tt": event.sent_ms,
            }
            protected = jws.extract_compact(signature.encode()).headers()
            if protected.get("b64") is not False or protected.get("crit") != ["b64"]:
                raise ForgedEventError(f"the signature is of another kind: {protected}")
            payload = json.dumps(signed, separators=(",", ":"))
            jws.deserialize_compact(signature, self._key(str(protected["kid"])), ["RS256"], payload=payload)
        except (JoseError, KeyError, ValueError) as error:
            raise ForgedEventError(str(error)) from error
        if abs(time.time() - event.sent_ms / 1000) > FRESH_S:
            raise ForgedEventError(f"it was sent at {event.sent_ms}")
        return event

    def _key(self, key_id: str) -> RSAKey:
        if key_id not in self._known_keys:
            self._known_keys[key_id] = RSAKey.import_key(self.public_key(key_id))
        return self._known_keys[key_id]

    def create_channel(self, name: str, webhook_id: str, queue_id: str) -> dict[str, Any]:
        routing = {"type": "queue", "id": queue_id}
        return self._call("POST", "/channels", {"name": name, "webHookId": webhook_id, "routingOptions": routing})

    def channels(self) -> list[dict[str, Any]]:
        return self._pages("/channels")

    def delete_channel(self, channel_id: str) -> None:
        self._call("DELETE", f"/channels/{channel_id}")

    def create_conversation(
        self, channel_id: str, customer: dict[str, str], history: list[dict[str, str]] | None = None
    ) -> str:
        body = {"channelId": channel_id, "customer": customer, "history": {"messages": history or []}}
        created = self._call("POST", "/conversations", body)
        assert isinstance(created["timestamp"], int)
        return str(created["conversationId"])

    def conversation(self, conversation_id: str) -> dict[str, Any]:
        return self._call("GET", f"/conversations/{conversation_id}")

    def conversations(self, **filters: str) -> list[dict[str, Any]]:
        return self._pages("/conversations", filters)

    def participants(self, conversation_id: str) -> list[dict[str, Any]]:
        answer = self._call("GET", f"/conversations/{conversation_id}/participants")
        participants: list[dict[str, Any]] = answer["participants"]
        return participants

    def messages(self, conversation_id: str, interaction_id: str = "") -> list[dict[str, Any]]:
        query = f"?interaction-id={urllib.parse.quote(interaction_id)}" if interaction_id else ""
        messages: list[dict[str, Any]] = self._call("GET", f"/conversations/{conversation_id}/messages{query}")[
            "messages"
        ]
        return messages

    def send(self, conversation_id: str, text: str, author_type: str = "user") -> None:
        self._call("POST", f"/conversations/{conversation_id}/messages", {"text": text, "authorType": author_type})

    def leave(self, conversation_id: str) -> None:
        self._call("DELETE", f"/conversations/{conversation_id}/participants/customer")

    def _pages(self, path: str, query: dict[str, str] | None = None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for index in range(1000):
            parameters = urllib.parse.urlencode({**(query or {}), "size": 2, "page": index})
            answer = self._call("GET", f"{path}?{parameters}")
            found.extend(answer["data"])
            if index + 1 >= answer["page"]["pageCount"]:
                break
        return found

    def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._bearer()}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        answer: dict[str, Any] = (
            self._send(urllib.request.Request(self._root + path, data, headers, method=method)) or {}
        )
        return answer

    def _bearer(self) -> str:
        if time.monotonic() >= self._token_ends_s:
            headers = {"Authorization": self._basic, "Content-Type": "application/x-www-form-urlencoded"}
            url = f"{self.base_url}/oauth/v2/token"
            answer = self._send(urllib.request.Request(url, b"grant_type=client_credentials", headers))
            self._token = answer["access_token"]
            self._token_ends_s = time.monotonic() + int(answer["expires_in"]) * 0.9
        return self._token

    @staticmethod
    def _send(request: urllib.request.Request) -> Any:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise ChatApiError(error.code, json.load(error)) from None
        return json.loads(text) if text else None


class WebhookServer:
    """An app's webhook, on loopback: checks what comes, and keeps each event once, in the order of their coming."""

    def __init__(self, api: ChatApi) -> None:
        """For events of this API."""
        self._api = api
        self._events: queue.Queue[WebhookEvent] = queue.Queue()
        self._seen: set[str] = set()
        self.attempts: list[tuple[dict[str, str], bytes]] = []
        self.forged: list[ForgedEventError] = []
        # How many of the next requests are answered 500.
        self.fails = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.uri = f"http://127.0.0.1:{self._server.server_port}/hook"

    def __enter__(self) -> WebhookServer:
        """Begins to serve."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def next_event(self, timeout_s: float = 60.0) -> WebhookEvent:
        """The next event that was not heard of before."""
        return self._events.get(timeout=timeout_s)

    def _take(self, headers: dict[str, str], body: bytes) -> int:
        self.attempts.append((headers, body))
        try:
            event = self._api.read_event(headers, body)
        except ForgedEventError as error:
            self.forged.append(error)
            return 403
        if self.fails > 0:
            self.fails -= 1
            return 500
        if event.id not in self._seen:
            self._seen.add(event.id)
            self._events.put(event)
        return 204

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take = self._take

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(take({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
                pass

        return Handler
