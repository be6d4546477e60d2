"""The sandbox's APIs: what agents do, and what reached the vendor."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from runner.failure import StepError

TENANT = "sandbox"
API_KEY = "sandbox-key"
CHANNEL = "sandbox-chat"
QUEUE = "100"
_TIMEOUT_S = 15.0
_JOIN_TIMEOUT_S = 15.0


class Sandbox:
    """A sandbox that listens on a port."""

    def __init__(self, port: int) -> None:
        """Connects when it is asked for something."""
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def begin(self, name: str) -> str:
        """A new conversation of a customer, without Chatbridge's knowledge."""
        body = {
            "channelId": CHANNEL,
            "user": {"name": name},
            "assignment": {"type": "queue", "id": QUEUE},
        }
        status, answer = await self._ask("POST", "/chat-gateway/v1/conversations", body)
        if status // 100 != 2:
            raise StepError(f"the sandbox did not begin a conversation: {status} {answer}")
        return str(answer["conversationId"])

    async def silence(self, conversation: str) -> None:
        """Has the agent join and from then on say only what they are told."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + _JOIN_TIMEOUT_S
        while True:
            status, answer = await self._act(conversation, {"action": "typing"})
            if status == 202:
                return
            if loop.time() > deadline_s:
                raise StepError(f"no agent joined {conversation}: {status} {answer}")
            await asyncio.sleep(0.02)

    async def say(self, conversation: str, text: str) -> None:
        """Has the agent say something."""
        status, answer = await self._act(conversation, {"action": "say", "text": text})
        if status != 202:
            raise StepError(f"the agent of {conversation} cannot speak: {status} {answer}")

    async def deposit(self, conversation: str, file_name: str, content: bytes) -> str:
        """Puts a file into a conversation; its identifier."""
        boundary = "part-of-a-scenario"
        head = (
            f'--{boundary}\r\ncontent-disposition: form-data; name="attachment"; filename="{file_name}"\r\n'
            "content-type: application/octet-stream\r\n\r\n"
        )
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        path = f"/chat-gateway/v1/conversations/{conversation}/attachments"
        status, answer = await self._ask("POST", path, body, f"multipart/form-data; boundary={boundary}")
        if status // 100 != 2:
            raise StepError(f"the sandbox did not take a file: {status} {answer}")
        return str(answer["id"])

    async def requests(self, conversation: str, method: str, path: str) -> list[dict[str, Any]]:
        """What reached the sandbox of a conversation."""
        query = f"?conversationId={conversation}" if conversation else ""
        _, answer = await self._ask("GET", f"/sandbox/v1/deliveries{query}", None)
        return [
            record
            for record in answer["deliveries"]
            if record["direction"] == "in"
            and record["method"] == method
            and record["path"].partition("?")[0].endswith(path)
        ]

    async def waiting(self) -> int:
        """How many events it has not delivered yet."""
        _, answer = await self._ask("GET", "/sandbox/v1/deliveries", None)
        return sum(record.get("outcome") == "pending" for record in answer["deliveries"])

    async def delivered(self, conversation: str) -> int:
        """How many events of a conversation it has delivered."""
        _, answer = await self._ask("GET", f"/sandbox/v1/deliveries?conversationId={conversation}", None)
        return len({it["eventId"] for it in answer["deliveries"] if it.get("outcome") == "delivered"})

    async def _act(self, conversation: str, action: dict[str, str]) -> tuple[int, Any]:
        return await self._ask("POST", f"/sandbox/v1/conversations/{conversation}/agent", action)

    async def _ask(self, method: str, path: str, body: Any, media_type: str = "application/json") -> tuple[int, Any]:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        try:
            return await asyncio.wait_for(self._exchange(method, path, content, media_type), _TIMEOUT_S)
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as error:
            raise StepError(f"the sandbox did not answer {method} {path}: {error!r}") from error

    async def _exchange(self, method: str, path: str, content: bytes, media_type: str) -> tuple[int, Any]:
        connection = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = connection
        head = (
            f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: {API_KEY}\r\n"
            f"content-type: {media_type}\r\ncontent-length: {len(content)}\r\n\r\n"
        )
        writer.write(head.encode() + content)
        status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        answer = await reader.readexactly(int(headers.get("content-length", "0")))
        self._idle.append(connection)
        return int(status.split()[1]), json.loads(answer) if answer else {}
