"""Tries an installed package: hears an agent's first message from a service that it starts, with both clients.

Usage: first_message.py CHATBRIDGE
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import chatbridge.sync
from chatbridge import Chatbridge, to_queue
from chatbridge.v1 import User

READY_TIMEOUT_S = 30.0
ADA = User(name="Ada")


@contextmanager
def service(program: str) -> Iterator[str]:
    """`chatbridge dev` in memory on ports of its own; its target."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CHATBRIDGE_")}
    environment |= {f"CHATBRIDGE_{name}_LISTEN": "127.0.0.1:0" for name in ("GRPC", "WEBHOOK", "ADMIN", "SANDBOX")}
    with tempfile.TemporaryDirectory() as directory:
        ready = Path(directory) / "ready.json"
        command = [program, "dev", "--pace", "0", "--ready-file", str(ready)]
        with (Path(directory) / "log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            deadline_s = time.monotonic() + READY_TIMEOUT_S
            while not ready.exists():
                if process.poll() is not None or time.monotonic() > deadline_s:
                    raise SystemExit(f"error: {program} did not become ready")
                time.sleep(0.02)
            yield json.loads(ready.read_text())["grpc"]
        finally:
            process.terminate()
            process.wait()


async def by_tasks(target: str) -> str:
    """What the agent says first, with the client for asyncio."""
    async with Chatbridge(target) as client:
        chat = await client.create_conversation("sandbox-chat", user=ADA, assignment=to_queue("100"))
        async with client.agent_events([chat.conversation_id], start=chat.cursor) as stream:
            async for response in stream:
                if response.event.HasField("message"):
                    return response.event.message.text
    raise SystemExit("error: the stream ended")


def by_threads(target: str) -> str:
    """What the agent says first, with the client that blocks."""
    with chatbridge.sync.Chatbridge(target) as client:
        chat = client.create_conversation("sandbox-chat", user=ADA, assignment=to_queue("100"))
        with client.agent_events([chat.conversation_id], start=chat.cursor) as stream:
            for response in stream:
                if response.event.HasField("message"):
                    return response.event.message.text
    raise SystemExit("error: the stream ended")


def main() -> None:
    """Prints what was heard."""
    assert version("chatbridge") == chatbridge.__version__
    with service(sys.argv[1]) as target:
        print(f"chatbridge {chatbridge.__version__} with asyncio heard:", asyncio.run(by_tasks(target)))
        print(f"chatbridge {chatbridge.__version__} with threads heard:", by_threads(target))


if __name__ == "__main__":
    main()
