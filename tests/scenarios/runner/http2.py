"""Frames of HTTP/2 as they pass (RFC 9113), as far as a proxy needs to know them."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEAD_BYTES = 9
_HEADERS, _PUSH_PROMISE, _GOAWAY, _CONTINUATION = 0x1, 0x5, 0x7, 0x9
_END_HEADERS, _PADDED, _PRIORITY = 0x4, 0x8, 0x20
_STREAM_MAX = (1 << 31) - 1
_REQUEST_LINE = re.compile(rb"(POST|OPTIONS|GET) (\S+) HTTP/1\.1\r\n(.*?)\r\n\r\n", re.DOTALL)

Headers = dict[str, str]


def go_away(last_stream: int = _STREAM_MAX) -> bytes:
    """A GOAWAY without an error. By default it ends no stream, as servers say it who are about to stop."""
    payload = struct.pack(">II", last_stream, 0)
    return len(payload).to_bytes(3, "big") + bytes([_GOAWAY, 0]) + bytes(4) + payload


@dataclass
class Frame:
    """A frame; its payload is kept for header blocks only."""

    kind: int
    flags: int
    stream: int
    payload: bytes


@dataclass
class Frames:
    """Follows the frames of one direction."""

    _head: bytearray = field(default_factory=bytearray)
    _payload: bytearray | None = None
    _left: int = 0
    _in_block: bool = False

    @property
    def between(self) -> bool:
        """Whether another frame may be put in here."""
        return not self._head and not self._left and not self._in_block

    def feed(self, data: bytes) -> tuple[list[Frame], int | None]:
        """Frames that end in `data`, and the last place in it where another frame may be put in."""
        frames: list[Frame] = []
        place: int | None = 0 if self.between else None
        at = 0
        while at < len(data):
            if not self._left:
                missing = _HEAD_BYTES - len(self._head)
                self._head += data[at : at + missing]
                at += min(missing, len(data) - at)
                if len(self._head) < _HEAD_BYTES:
                    break
                self._left = int.from_bytes(self._head[:3], "big")
                keep = self._head[3] in (_HEADERS, _PUSH_PROMISE, _CONTINUATION)
                self._payload = bytearray() if keep else None
            taken = min(self._left, len(data) - at)
            if self._payload is not None:
                self._payload += data[at : at + taken]
            at += taken
            self._left -= taken
            if not self._left:
                frames.append(self._ended())
                if self.between:
                    place = at
        return frames, place

    def _ended(self) -> Frame:
        kind, flags = self._head[3], self._head[4]
        stream = int.from_bytes(self._head[5:9], "big") & _STREAM_MAX
        if kind in (_HEADERS, _PUSH_PROMISE, _CONTINUATION):
            self._in_block = not flags & _END_HEADERS
        frame = Frame(kind, flags, stream, bytes(self._payload or b""))
        self._head.clear()
        return frame


@dataclass
class Requests:
    """Reads the headers of requests from what a client sends, over HTTP/1.1 or HTTP/2 in cleartext."""

    seen: list[Headers] = field(default_factory=list)
    http2: bool | None = None
    """Whether it is HTTP/2; None: not known yet, or neither, as with TLS."""
    preflight: bool = False
    """Over HTTP/1.1: whether the last request is a browser's question whether it may make the one that it wants."""
    last_stream: int = 0
    _start: bytes = b""
    _frames: Frames = field(default_factory=Frames)
    _block: bytearray = field(default_factory=bytearray)
    _decoder: hpack.Decoder = field(default_factory=hpack.Decoder)

    def feed(self, data: bytes) -> None:
        """Reads on."""
        if self.http2 is None:
            self._start += data
            if len(self._start) < len(PREFACE):
                return
            if self._start.startswith(PREFACE):
                self.http2, data = True, self._start[len(PREFACE) :]
            elif self._start[:1].isalpha():
                self.http2, data = False, self._start
            else:
                self._start = self._start[: len(PREFACE)]
                return
        if self.http2:
            for frame in self._frames.feed(data)[0]:
                self._take(frame)
            return
        for method, path, lines in _REQUEST_LINE.findall(data):
            self.preflight = method == b"OPTIONS"
            if self.preflight:
                continue
            headers = {":path": path.decode("latin-1")}
            for line in lines.decode("latin-1").split("\r\n"):
                name, _, value = line.partition(":")
                headers[name.strip().lower()] = value.strip()
            self.seen.append(headers)

    def _take(self, frame: Frame) -> None:
        if frame.kind not in (_HEADERS, _CONTINUATION):
            return
        payload = frame.payload
        if frame.kind == _HEADERS:
            self.last_stream = max(self.last_stream, frame.stream)
            if frame.flags & _PADDED:
                payload = payload[1 : len(payload) - payload[0]]
            if frame.flags & _PRIORITY:
                payload = payload[5:]
        self._block += payload
        if frame.flags & _END_HEADERS:
            block, self._block = bytes(self._block), bytearray()
            self.seen.append({_text(name): _text(value) for name, value in self._decoder.decode(block, raw=True)})


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")
