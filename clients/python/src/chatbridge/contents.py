"""The bytes of files, read without holding up the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable

from chatbridge.files import Described, pieces_of, split


async def chunks_of(file: Described) -> AsyncGenerator[bytes, None]:
    """The bytes, in pieces that the contract takes."""
    if isinstance(file.content, AsyncIterable):
        async for part in file.content:
            for piece in split(part):
                yield piece
        return
    pieces = pieces_of(file.content)
    try:
        # What blocks, a disk or somebody's iterator, does so in a thread.
        while piece := await asyncio.to_thread(lambda: next(pieces, b"")):
            yield piece
    finally:
        await asyncio.to_thread(pieces.close)
