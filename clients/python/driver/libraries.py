"""The two clients, used in the same way."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import chatbridge
import chatbridge.sync

_T = TypeVar("_T")


class Library(Protocol):
    """One of the clients. What it gives is used by the names that both have."""

    async def open(self, target: Any, **options: Any) -> Any:
        """An open client."""

    async def close(self, client: Any) -> None:
        """Closes a client."""

    async def call(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """What a method of the client answers."""

    async def all(self, items: Any) -> list[Any]:
        """All that an iterator gives."""

    async def next(self, stream: Any) -> Any:
        """The next response of a stream; None: the iteration ended."""

    async def end(self, stream: Any) -> None:
        """Ends a stream, having come back from its last response."""

    def cursors(self, path: Path) -> dict[str, Any]:
        """The functions of a stream that keep its cursor in a file."""


class Asynchronous:
    """`chatbridge.Chatbridge`."""

    async def open(self, target: Any, **options: Any) -> Any:
        """An open client."""
        return chatbridge.Chatbridge(target, **options)

    async def close(self, client: chatbridge.Chatbridge) -> None:
        """Closes a client."""
        await client.close()

    async def call(self, function: Callable[..., Awaitable[Any]], *arguments: Any, **options: Any) -> Any:
        """What a method of the client answers."""
        return await function(*arguments, **options)

    async def all(self, items: Any) -> list[Any]:
        """All that an iterator gives."""
        return [item async for item in items]

    async def next(self, stream: chatbridge.AgentEvents) -> Any:
        """The next response of a stream; None: the iteration ended."""
        try:
            return await anext(stream)
        except StopAsyncIteration:
            return None

    async def end(self, stream: chatbridge.AgentEvents) -> None:
        """Ends a stream, having come back from its last response."""
        await stream.aclose()

    def cursors(self, path: Path) -> dict[str, Any]:
        """The functions of a stream that keep its cursor in a file."""

        async def load_in_thread() -> bytes | None:
            return await asyncio.to_thread(load, path)

        async def save_in_thread(cursor: bytes) -> None:
            await asyncio.to_thread(save, path, cursor)

        return {"load_cursor": load_in_thread, "save_cursor": save_in_thread}


class Synchronous:
    """`chatbridge.sync.Chatbridge`."""

    async def open(self, target: Any, **options: Any) -> Any:
        """An open client."""
        return chatbridge.sync.Chatbridge(target, **options)

    async def close(self, client: Any) -> None:
        """Closes a client."""
        await in_thread(client.close)

    async def call(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """What a method of the client answers."""
        return await in_thread(lambda: function(*arguments, **options))

    async def all(self, items: Any) -> list[Any]:
        """All that an iterator gives."""
        return await in_thread(lambda: list(items))

    async def next(self, stream: Any) -> Any:
        """The next response of a stream; None: the iteration ended."""
        return await in_thread(lambda: next(stream, None))

    async def end(self, stream: Any) -> None:
        """Ends a stream, having come back from its last response."""
        await in_thread(stream.close)

    def cursors(self, path: Path) -> dict[str, Any]:
        """The functions of a stream that keep its cursor in a file."""
        return {"load_cursor": partial(load, path), "save_cursor": partial(save, path)}


def load(path: Path) -> bytes | None:
    """The cursor that a file has; None: there is no file."""
    return path.read_bytes() if path.exists() else None


def save(path: Path, cursor: bytes) -> None:
    """Replaces the file as a whole: whoever reads it finds the old cursor or the new one."""
    partial_path = path.with_name(f"{path.name}.partial")
    partial_path.write_bytes(cursor)
    partial_path.replace(path)


async def in_thread(work: Callable[[], _T]) -> _T:
    """Waits for work that blocks. Each has a thread of its own, which does not keep the driver from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_T] = loop.create_future()

    def tell(result: _T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result: _T | None = None
        failed: BaseException | None = None
        try:
            result = work()
        except BaseException as error:
            failed = error
        try:
            loop.call_soon_threadsafe(tell, result, failed)
        except RuntimeError:
            # The driver has ended meanwhile.
            return

    threading.Thread(target=run, daemon=True).start()
    return await done
