"""What a replica needs to serve Chat API v2, and an old client of it with a webhook."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from chat_v2_client import ChatApi

CLIENT = "old-app"
WAIT_S = 60.0
CLIENT_SECRET = secrets.token_urlsafe(24)


def chat_v2_settings(directory: Path) -> dict[str, str]:
    """Variables of a replica before a sandbox that serve this client; its port is `chat_v2` among the addresses."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    signing, config = directory / "signing.pem", directory / "chat_v2.toml"
    signing.write_bytes(pem)
    hashed = sha256(CLIENT_SECRET.encode()).hexdigest()
    config.write_text(f'[[chat_v2_clients]]\nid = "{CLIENT}"\nsecret_sha256 = ["{hashed}"]\ntenants = ["sandbox"]\n')
    return {
        "CHATBRIDGE_CONFIG": str(config),
        "CHATBRIDGE_CHAT_V2_LISTEN": "127.0.0.1:0",
        "CHATBRIDGE_CHAT_V2_TOKEN_SECRET": secrets.token_urlsafe(32),
        "CHATBRIDGE_CHAT_V2_SIGNING_KEY_FILE": str(signing),
        "CHATBRIDGE_CHAT_V2_WEBHOOK_ALLOW": "127.0.0.0/8",
        # The sandbox's own, which delivers to the door.
        "CHATBRIDGE_WEBHOOK_ID": "sandbox-webhook",
    }


@contextmanager
def taking_all() -> Iterator[str]:
    """A webhook on loopback that takes whatever is sent; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(204)
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


class OldClient:
    """An old client with a channel of its own, whose events go to a webhook."""

    def __init__(self, address: str, webhook: str) -> None:
        """Of the service at this address; registers the webhook and makes the channel."""
        self.api = ChatApi(f"http://{address}", tenant="sandbox", client_id=CLIENT, client_secret=CLIENT_SECRET)
        registered = self.api.create_webhook("Old app", webhook)
        self._channel = self.api.create_channel("Old app", registered["id"], "100")["id"]

    def contact(self) -> str:
        """A conversation that an agent of the sandbox has joined and answered; its id."""
        conversation = self.api.create_conversation(self._channel, {"name": "Ada", "customerId": "u-1"})
        self.api.send(conversation, "Where is my parcel?")
        deadline_s = time.monotonic() + WAIT_S
        while not self._is_answered(conversation):
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"no agent has answered {conversation}")
            time.sleep(0.1)
        return conversation

    def _is_answered(self, conversation: str) -> bool:
        said = self.api.messages(conversation)
        return any(one["authorType"] == "agent" and "parcel" in one["originalText"] for one in said)
