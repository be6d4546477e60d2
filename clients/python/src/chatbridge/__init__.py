"""Client of Chatbridge: hand chats to human agents of the 8x8 contact centre and hear what they do.

`Chatbridge` is the client; `chatbridge.v1` has the messages and enums of the contract.
"""

from chatbridge.backoff import Backoff
from chatbridge.client import Chatbridge
from chatbridge.errors import ChatbridgeError, FieldViolation, StreamEndedError
from chatbridge.events import AgentEvents
from chatbridge.files import File
from chatbridge.messages import from_bot, from_user, to_queue, to_script

__all__ = [
    "AgentEvents",
    "Backoff",
    "Chatbridge",
    "ChatbridgeError",
    "FieldViolation",
    "File",
    "StreamEndedError",
    "from_bot",
    "from_user",
    "to_queue",
    "to_script",
]
