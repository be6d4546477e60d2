"""A worker that goes on where it stopped, however it stopped. Its argument is the file that keeps the cursor."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from chatbridge import Chatbridge
from chatbridge.v1 import AgentEvent, EventKind, GapPolicy, StartPosition

TARGET = os.environ.get("CHATBRIDGE_TARGET", "127.0.0.1:50051")
TOKEN = os.environ.get("CHATBRIDGE_TOKEN") or None


def load(path: Path) -> bytes | None:
    """The cursor that was saved last."""
    return path.read_bytes() if path.exists() else None


def save(path: Path, cursor: bytes) -> None:
    """Replaces the file as a whole, so that a crash leaves the old cursor or the new one."""
    written = path.with_name(f"{path.name}.new")
    with written.open("wb") as file:
        file.write(cursor)
        file.flush()
        os.fsync(file.fileno())
    written.replace(path)


def kind_of(event: AgentEvent) -> str:
    """Such as `MESSAGE`; a number where the service is newer than this program."""
    known = event.kind in EventKind.values()
    return EventKind.Name(event.kind).removeprefix("EVENT_KIND_") if known else str(int(event.kind))


async def main(path: Path) -> None:
    """Prints a line for each event, until it is told to stop."""
    async with Chatbridge(TARGET, token=TOKEN) as chatbridge:
        stream = chatbridge.agent_events(
            start=StartPosition.START_POSITION_EARLIEST,
            gap_policy=GapPolicy.GAP_POLICY_EARLIEST,
            load_cursor=lambda: load(path),
            save_cursor=lambda cursor: save(path, cursor),
        )
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signal_number, stream.stop)
        async with stream:
            async for response in stream:
                if response.HasField("event"):
                    event = response.event
                    print(event.conversation_id or "-", event.sequence, kind_of(event), flush=True)


asyncio.run(main(Path(sys.argv[1])))
