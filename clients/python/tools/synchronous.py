"""Writes the blocking twins of the asynchronous modules that only build requests and make calls.

Usage: synchronous.py SOURCE DESTINATION

What waits, reads and reconnects is written twice by hand, since threads and tasks differ; the rest differs in words.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

HEADER = "# Written from {name} by tools/synchronous.py: change that instead.\n"

MODULES = (
    "attachments",
    "cards",
    "client",
    "configuration",
    "conversations",
    "hand_overs",
    "indicators",
    "messaging",
    "sessions",
    "subscriptions",
)

# Modules that have a twin of their own.
TWINS = "|".join((*MODULES, "calls", "channels", "events"))

WORDS: tuple[tuple[str, str], ...] = (
    (rf"\bfrom chatbridge\.({TWINS}) import", r"from chatbridge.sync.\1 import"),
    (r"from chatbridge\.contents import chunks_of\n", ""),
    (r"\bchunks_of\((\w+)\)", r"pieces_of(\1.content)"),
    (r"\bDescribed, File, describe\b", "Described, File, describe, pieces_of"),
    (r"\bawait asyncio\.to_thread\(describe, file\)", "describe(file, asynchronous=False)"),
    (r"\bawait asyncio\.to_thread\(([\w.]+), ", r"\1("),
    (r"\bawait asyncio\.to_thread\(\s+([\w.]+), ", r"\1("),
    (r"\bimport asyncio\n", ""),
    (r"\basync (def|for|with)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bAsyncGenerator\[(\w+), None\]", r"Generator[\1, None, None]"),
    (r"\bAsync(Generator|Iterator|Iterable)\b", r"\1"),
    (r"return \((self\._(?:call|send)\(.*\))\)\.", r"return \1."),
    (r"\baclosing\b", "closing"),
    (r"__aenter__", "__enter__"),
    (r"__aexit__", "__exit__"),
    (r"grpc\.aio\.ClientInterceptor", "ClientInterceptor"),
    (r"from chatbridge\.token import Token\b", "from chatbridge.token import SyncToken"),
    (r"\bToken \| None", "SyncToken | None"),
    (r"Settings\[Token\]", "Settings[SyncToken]"),
    (r"\bimport Channels, Lease\b", "import Channels, ClientInterceptor, Lease"),
    # Words of the descriptions.
    (r"any number of tasks of one event loop", "any number of threads"),
    (r", which may be a coroutine\s+function, that", " that"),
    (r" Both may be coroutine functions; plain ones\s+should not block\.", ""),
)


def twin(name: str, text: str) -> str:
    """The blocking twin of a module."""
    for pattern, replacement in WORDS:
        text = re.sub(pattern, replacement, text)
    return HEADER.format(name=f"{name}.py") + text


def main() -> None:
    """Writes the twins of all modules in SOURCE into DESTINATION."""
    source, destination = map(Path, sys.argv[1:])
    for name in MODULES:
        (destination / f"{name}.py").write_text(twin(name, (source / f"{name}.py").read_text()))


if __name__ == "__main__":
    main()
