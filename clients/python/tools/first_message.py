"""Tries an installed package: hears an agent's first message from a running service, with both clients.

Usage: first_message.py TARGET
"""

import asyncio
import sys
from importlib.metadata import version

import chatbridge.sync
from chatbridge import Chatbridge, to_queue
from chatbridge.v1 import User

ADA = User(name="Ada")


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
    target = sys.argv[1]
    print(f"chatbridge {chatbridge.__version__} with asyncio heard:", asyncio.run(by_tasks(target)))
    print(f"chatbridge {chatbridge.__version__} with threads heard:", by_threads(target))


if __name__ == "__main__":
    main()
