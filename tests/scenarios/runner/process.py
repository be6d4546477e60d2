"""Processes that end with the runner."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from runner.failure import SetupError
from runner.files import ROOT

READY_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 15.0
# Below the ports that systems give to outgoing connections, of which a run makes many.
_PORTS = range(20_000, 32_000)
_given: set[int] = set()


def binary() -> Path:
    """The program under test, which must have been built."""
    path = Path(os.environ.get("CHATBRIDGE_BIN", ROOT / "target/debug/chatbridge"))
    if not path.is_file():
        raise SetupError(f"{path} does not exist: run `cargo build`, or set CHATBRIDGE_BIN")
    return path


def require(program: str, package: str) -> None:
    """Raises what to install where a program is missing."""
    if shutil.which(program) is None:
        raise SetupError(f"{program} is missing: install {package} (as Debian calls it), or run `make tools`")


def free_port() -> int:
    """A port that nobody listens on, given once in this process. Another process may take it all the same."""
    with _listener() as listener:
        return port_of(listener)


def listen() -> socket.socket:
    """A socket that listens on loopback, for a process that is started later: nobody can take its port until then."""
    listener = _listener()
    listener.listen()
    return listener


def port_of(listener: socket.socket) -> int:
    """The port that a socket is bound to."""
    port: int = listener.getsockname()[1]
    return port


def _listener() -> socket.socket:
    for _ in range(100):
        port = random.choice(_PORTS)
        if port in _given:
            continue
        listener = socket.socket()
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            listener.close()
            continue
        _given.add(port)
        return listener
    raise SetupError("no port of loopback is free")


def clean_environment(more: Mapping[str, str]) -> dict[str, str]:
    """The environment without what the developer's own shell sets for Chatbridge, and with `more`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CHATBRIDGE_")}
    return {**inherited, **more}


class Program:
    """A process in the background with a log file."""

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        """Not started yet."""
        self.command = list(command)
        self.log = log
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Starts it. The kernel kills it when the runner is killed."""
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                "setpriv",
                "--pdeathsig",
                "KILL",
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=clean_environment(self._environment),
                cwd=ROOT,
            )

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def kill(self) -> None:
        """Ends it with SIGKILL."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> bool:
        """Asks it to end, and kills it where it does not; whether it ended by itself."""
        if self._process is None:
            return True
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), timeout_s)
        except asyncio.TimeoutError:
            await self.kill()
            return False
        return True

    async def until(self, ready: Callable[[], Awaitable[bool]]) -> None:
        """Waits until it is ready."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + READY_TIMEOUT_S
        while not await ready():
            if not self.running or loop.time() > deadline_s:
                tail = self.log.read_text(errors="replace")[-3000:]
                raise SetupError(f"`{' '.join(self.command)}` did not become ready:\n{tail}")
            await asyncio.sleep(0.02)


class Chatbridge(Program):
    """A command of the program under test that tells where it listens."""

    def __init__(self, directory: Path, name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        """Not started yet."""
        self._ready = directory / f"{name}.ready.json"
        command = [str(binary()), *arguments, "--ready-file", str(self._ready)]
        super().__init__(command, directory / f"{name}.log", environment)
        self.addresses: Mapping[str, str] = {}

    async def start(self) -> None:
        """Starts it, until it listens."""
        self._ready.unlink(missing_ok=True)
        await super().start()

        async def ready() -> bool:
            return self._ready.exists()

        await self.until(ready)
        self.addresses = json.loads(self._ready.read_text())

    def port(self, name: str) -> int:
        """The port of one of its addresses."""
        return int(self.addresses[name].rpartition(":")[2])


class Redis(Program):
    """A `redis-server` that keeps nothing."""

    def __init__(self, directory: Path) -> None:
        """Not started yet."""
        require("redis-server", "redis-server")
        require("redis-cli", "redis-tools")
        self.port = free_port()
        command = [
            "redis-server",
            "--bind",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        super().__init__([*command, "--dir", str(directory)], directory / "redis.log", {})

    async def start(self) -> None:
        """Starts it, until it answers."""
        await super().start()

        async def ready() -> bool:
            return (await self._ask("PING"))[1].strip() == "PONG"

        await self.until(ready)

    async def ask(self, *command: str) -> str:
        """Sends it a command."""
        code, answer = await self._ask(*command)
        if code != 0:
            raise SetupError(f"redis-cli {' '.join(command)}: {answer}")
        return answer

    async def _ask(self, *command: str) -> tuple[int, str]:
        asking = await asyncio.create_subprocess_exec(
            "redis-cli",
            *("-e", "-p", str(self.port)),
            *command,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await asking.communicate()
        return asking.returncode or 0, output.decode(errors="replace")
