"""Files on their way to the contact centre."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import AsyncIterable, Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from chatbridge.v1 import AuthorType

# The contract takes up to 1 MiB; smaller pieces keep less in memory and are as fast.
CHUNK_BYTES = 256 * 1024

Content: TypeAlias = "str | os.PathLike[str] | bytes | Iterable[bytes] | AsyncIterable[bytes]"


@dataclass(frozen=True)
class File:
    """A file to upload or to hand over: what it holds, and what the agent sees of it."""

    content: Content
    """A path (`str` or `Path`), the bytes themselves, or an iterator that gives them piece by piece.

    The asynchronous client takes asynchronous iterators, too. An open file is an iterator of its lines: give its
    path, or `iter(lambda: file.read(65536), b"")`.
    """
    file_name: str = ""
    """Required, except for a path: then its last part is meant."""
    media_type: str = ""
    """Such as `image/png`; empty: guessed from the name."""
    size_bytes: int | None = None
    """Required for an iterator; None otherwise: counted."""
    author_type: AuthorType.ValueType = AuthorType.AUTHOR_TYPE_USER
    """Who sends it: the customer, or the bot."""
    text: str = ""
    """What the message says that shows it, in a hand-over."""


@dataclass(frozen=True)
class Described:
    """A file whose name, type and size are known."""

    content: Content
    file_name: str
    media_type: str
    size_bytes: int
    author_type: AuthorType.ValueType
    text: str


def describe(file: File | str | os.PathLike[str], *, asynchronous: bool = True) -> Described:
    """Finds out what the contract asks for; fails where a file is not there or something is missing.

    `asynchronous` says whether its content may be an asynchronous iterator.
    """
    given = file if isinstance(file, File) else File(file)
    content, name, size = given.content, given.file_name, given.size_bytes
    if isinstance(content, bytes):
        size = len(content)
    elif isinstance(content, str | os.PathLike):
        path = Path(content)
        name = name or path.name
        size = path.stat().st_size
    if not name:
        raise ValueError("the file needs a file_name, unless it is given as a path")
    if isinstance(content, AsyncIterable) and not asynchronous:
        raise TypeError(f"the content of the file {name!r} is an asynchronous iterator, and the client is not")
    if size is None:
        raise ValueError(f"the file {name!r} needs its size_bytes, because its content is an iterator")
    media_type = given.media_type or mimetypes.guess_type(name)[0] or ""
    return Described(content, name, media_type, size, given.author_type, given.text)


def pieces_of(content: Content) -> Generator[bytes, None, None]:
    """The bytes, in pieces that the contract takes."""
    if isinstance(content, bytes):
        yield from split(content)
    elif isinstance(content, str | os.PathLike):
        with Path(content).open("rb") as file:
            while piece := file.read(CHUNK_BYTES):
                yield piece
    elif isinstance(content, Iterable):
        for part in content:
            yield from split(part)
    else:
        raise TypeError("the content of the file is no iterator of bytes")


def split(content: bytes) -> list[bytes]:
    """Bytes in pieces that the contract takes."""
    return [content[at : at + CHUNK_BYTES] for at in range(0, len(content), CHUNK_BYTES)]
