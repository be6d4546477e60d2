"""The network that breaks: a proxy that breaks nothing would make every library look robust."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import hpack
import pytest

from runner.http2 import PREFACE, Frames, Requests, go_away
from runner.proxy import Proxy

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
WAIT_S = 5.0
# Long enough that what passes would have passed.
SILENCE_S = 0.1


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """Before a server that says again what it is told."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    proxy = Proxy(lambda: ("127.0.0.1", int(server.sockets[0].getsockname()[1])))
    await proxy.start()
    yield proxy
    await proxy.close()
    server.close()


async def said(proxy: Proxy) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection over which something has passed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"hello")
    assert await asyncio.wait_for(reader.readexactly(5), WAIT_S) == b"hello"
    return reader, writer


async def silent(reader: asyncio.StreamReader) -> bool:
    try:
        await asyncio.wait_for(reader.read(1), SILENCE_S)
    except asyncio.TimeoutError:
        return True
    return False


async def test_a_cut_resets(proxy: Proxy) -> None:
    reader, writer = await said(proxy)
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(1), WAIT_S)
    writer.close()
    _, writer = await said(proxy)
    writer.close()
    assert len(proxy.opened_s) == 2


async def test_a_black_hole_swallows_until_it_is_healed(proxy: Proxy) -> None:
    reader, writer = await said(proxy)
    proxy.black_hole(new_too=False)
    writer.write(b"again")
    assert await silent(reader)
    _, other = await said(proxy)
    proxy.heal()
    assert await asyncio.wait_for(reader.readexactly(5), WAIT_S) == b"again"
    writer.close()
    other.close()


async def test_refused_connections_are_reset(proxy: Proxy) -> None:
    proxy.refuse()
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(1), WAIT_S)
    writer.close()


async def test_answers_are_held_and_what_is_said_is_not(proxy: Proxy) -> None:
    reader, writer = await said(proxy)
    proxy.hold_answers()
    writer.write(b"again")
    assert await silent(reader)
    proxy.heal()
    assert await asyncio.wait_for(reader.readexactly(5), WAIT_S) == b"again"
    writer.close()


def frame(kind: int, payload: bytes, flags: int = 0, stream: int = 1) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


@pytest.mark.parametrize("piece", [1, 2, 7, 1000])
def test_frames_are_followed_in_whatever_pieces_they_come(piece: int) -> None:
    data = frame(0, b"x" * 20) + frame(1, b"y" * 3, flags=4, stream=3) + frame(0, b"")
    frames, found = Frames(), []
    for at in range(0, len(data), piece):
        found += frames.feed(data[at : at + piece])[0]
    assert [(it.kind, it.stream) for it in found] == [(0, 1), (1, 3), (0, 1)]
    assert frames.between


def test_nothing_is_put_between_the_parts_of_a_header_block() -> None:
    frames = Frames()
    begun = frame(1, b"abc", flags=0)
    assert frames.feed(begun)[1] == 0
    assert not frames.between
    assert frames.feed(frame(9, b"def", flags=4))[1] == len(frame(9, b"def"))
    assert frames.between


def test_headers_of_requests_are_read() -> None:
    block = hpack.Encoder().encode([(":path", "/a/B"), ("user-agent", "me")])
    requests = Requests()
    for byte in PREFACE + frame(1, block[:5], stream=5) + frame(9, block[5:], flags=4, stream=5):
        requests.feed(bytes([byte]))
    assert requests.seen == [{":path": "/a/B", "user-agent": "me"}]
    assert requests.last_stream == 5


def test_a_go_away_ends_no_stream() -> None:
    assert go_away() == bytes([0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0])
