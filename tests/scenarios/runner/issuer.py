"""An issuer of web tokens, with the address of its keys."""

from __future__ import annotations

import asyncio
import json
import time

from joserfc import jwt
from joserfc.jwk import ECKey

ISSUER = "https://issuer.example/"
AUDIENCE = "chatbridge"
ALGORITHM = "ES256"


class Issuer:
    """Signs tokens, and tells its public key over HTTP."""

    def __init__(self) -> None:
        """Makes its key."""
        self._key = ECKey.generate_key("P-256", {"kid": "runner", "use": "sig", "alg": ALGORITHM})
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self) -> None:
        """Listens on a port of its own."""
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Ends it."""
        if self._server is not None:
            self._server.close()

    def token(self, name: str, valid_s: float) -> str:
        """A token for somebody."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": name,
            "scope": "chat",
            "iat": now,
            # Whole seconds count.
            "exp": round(time.time() + valid_s),
        }
        return jwt.encode({"alg": ALGORITHM, "kid": "runner"}, claims, self._key)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            keys = json.dumps({"keys": [self._key.as_dict(private=False)]}).encode()
            head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(keys)}\r\n"
            writer.write(head.encode() + b"connection: close\r\n\r\n" + keys)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
