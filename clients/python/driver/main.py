"""Does what the runner of scenarios asks for with the Python client, as `tests/scenarios/driver.proto` says.

`--sync` uses the synchronous client, each of whose calls then has a thread of its own.
"""

from __future__ import annotations

import asyncio
import base64
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable

import commands
import driver_pb2 as wire
from libraries import Asynchronous, Library, Synchronous

# The runner may send whole files as one line.
_Answer = Callable[[wire.Response], None]


async def _serve(library: Library) -> None:
    """Reads requests until the input ends, and does them at the same time."""
    requests: asyncio.Queue[wire.Request | None] = asyncio.Queue()
    reader = threading.Thread(target=_read, args=(asyncio.get_running_loop(), requests), daemon=True)
    reader.start()
    driver = commands.Driver(library)
    under_way: set[asyncio.Task[None]] = set()
    while (request := await requests.get()) is not None:
        task = asyncio.create_task(_do(driver.do, request))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    for task in under_way:
        task.cancel()


def _read(loop: asyncio.AbstractEventLoop, requests: asyncio.Queue[wire.Request | None]) -> None:
    for line in sys.stdin.buffer:
        request = wire.Request.FromString(base64.b64decode(line, validate=False))
        loop.call_soon_threadsafe(requests.put_nowait, request)
    loop.call_soon_threadsafe(requests.put_nowait, None)


async def _do(do: Callable[[wire.Request], Awaitable[wire.Response]], request: wire.Request) -> None:
    try:
        response = await do(request)
    except Exception as error:
        # What the driver does not expect is for whoever reads the runner's output.
        traceback.print_exc(file=sys.stderr)
        response = wire.Response(failure=f"{type(error).__name__}: {error}")
    response.id = request.id
    sys.stdout.buffer.write(base64.b64encode(response.SerializeToString()) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(_serve(Synchronous() if "--sync" in sys.argv[1:] else Asynchronous()))
