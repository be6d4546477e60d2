"""The client that blocks, for programs of threads: the same calls, files and streams as the one for asyncio."""

from chatbridge.sync.client import Chatbridge
from chatbridge.sync.events import AgentEvents

__all__ = ["AgentEvents", "Chatbridge"]
