"""Client of Chatbridge: hand chats to human agents of the 8x8 contact centre and hear what they do.

`Chatbridge` is the client for asyncio, `chatbridge.sync.Chatbridge` the one that blocks; `chatbridge.v1` has the
messages and enums of the contract.
"""

from chatbridge.backoff import Backoff, Retries, Watchdog
from chatbridge.client import Chatbridge
from chatbridge.errors import ChatbridgeError, FieldViolation, StreamEndedError
from chatbridge.events import AgentEvents
from chatbridge.files import File
from chatbridge.messages import from_bot, from_user, to_queue, to_script
from chatbridge.version import __version__

__all__ = [
    "AgentEvents",
    "Backoff",
    "Chatbridge",
    "ChatbridgeError",
    "FieldViolation",
    "File",
    "Retries",
    "StreamEndedError",
    "Watchdog",
    "__version__",
    "from_bot",
    "from_user",
    "to_queue",
    "to_script",
]
