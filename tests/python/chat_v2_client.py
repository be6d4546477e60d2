"""A client of 8x8's Chat API v2, written from that API's public description alone: it knows nothing of Chatbridge."""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any


class ChatApiError(Exception):
    """The API refused."""

    def __init__(self, status: int, body: Any) -> None:
        """With the answer's status and body."""
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


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
