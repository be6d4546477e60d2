"""Runs the examples of the clients against a running service."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

from runner.failure import SetupError, StepError
from runner.files import ROOT
from runner.process import binary, clean_environment
from runner.sandbox import Sandbox
from runner.world import World
from stubs import scenario_pb2

CLIENTS = ("python", "typescript", "go", "java", "rust")
_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 15.0
_BROWSER_TIMEOUT_S = 120.0
_CONVERSATIONS = 3
_MESSAGES = 80
_PER_SECOND = 60.0
# After how many lines the worker is killed.
_KILLS = (60, 140)
_LINE = re.compile(r"(\S+) (\d+) ([A-Z_]+)")

_Place = tuple[str, int]


class Example:
    """A process of an example, whose output is read line by line."""

    def __init__(self, client: str, arguments: list[str], world: World, log: Path) -> None:
        """Not started yet."""
        script = ROOT / f"scripts/clients/{client}.sh"
        if not script.is_file():
            raise StepError(f"there is no {script}")
        self._command = [str(script), "example", *arguments]
        address = world.address(0)
        assert address is not None
        self._environment = {"CHATBRIDGE_TARGET": f"{address[0]}:{address[1]}"}
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self.lines: list[str] = []

    async def start(self) -> None:
        """Starts it in a group of its own, so that it can be ended with what it starts."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=clean_environment(self._environment),
                cwd=ROOT,
                start_new_session=True,
            )
        self._reading = asyncio.create_task(self._read(self._process))

    async def until(self, there: Callable[[], bool]) -> None:
        """Waits until something is among its lines."""
        deadline_s = time.monotonic() + _TIMEOUT_S
        while not there():
            if self._process is None or self._process.returncode is not None:
                raise StepError(f"it ended too early ({self._code}); {self._told()}")
            if time.monotonic() > deadline_s:
                raise StepError(f"what was expected did not come within {_TIMEOUT_S:g} s; {self._told()}")
            await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """Ends it with SIGKILL."""
        self._signal(signal.SIGKILL)
        await self._ended(_STOP_TIMEOUT_S)

    async def stop(self) -> None:
        """Asks it to end, which it does with the exit code 0."""
        self._signal(signal.SIGTERM)
        await self.succeeds(_STOP_TIMEOUT_S)

    async def succeeds(self, timeout_s: float = _TIMEOUT_S) -> None:
        """Waits until it has ended with the exit code 0."""
        try:
            code = await self._ended(timeout_s)
        except asyncio.TimeoutError:
            raise StepError(f"it did not end within {timeout_s:g} s; {self._told()}") from None
        if code != 0:
            raise StepError(f"it ended with {code}; {self._told()}")

    async def close(self) -> None:
        """Leaves nothing behind."""
        if self._process is not None and self._process.returncode is None:
            await self.kill()

    @property
    def _code(self) -> int | None:
        return self._process.returncode if self._process is not None else None

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    async def _ended(self, timeout_s: float) -> int:
        assert self._process is not None
        assert self._reading is not None
        code = await asyncio.wait_for(self._process.wait(), timeout_s)
        await self._reading
        return code

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        # What SIGKILL cut off in the middle is no line.
        while (line := await process.stdout.readline()).endswith(b"\n"):
            self.lines.append(line.decode(errors="replace").rstrip("\n"))

    def _told(self) -> str:
        errors = self._log.read_text(errors="replace")[-1500:].strip()
        return f"it wrote {self.lines[-5:]}, and on standard error:\n{errors}"


async def run_examples(directory: Path, clients: list[str]) -> int:
    """Runs all examples; how many failed."""
    failed = 0
    for client in clients:
        names = ["bot", "worker"]
        world = World(scenario_pb2.World(), [client], directory / client, [])
        try:
            await world.start()
            for name in names:
                failed += await _one(client, name, world)
        finally:
            await world.stop()
        if client == "typescript":
            failed += await _browser(directory)
    return failed


async def _one(client: str, name: str, world: World) -> bool:
    begun_s = time.monotonic()
    log = world.directory / f"example-{name}.log"
    try:
        if name == "worker":
            await _worker(client, world, log)
        else:
            await _bot(Example(client, [name], world, log))
    except (StepError, SetupError, OSError) as error:
        print(f"example {name} of {client}: FAIL: {error}", flush=True)
        return True
    print(f"example {name} of {client}: ok ({time.monotonic() - begun_s:.1f} s)", flush=True)
    return False


async def _browser(directory: Path) -> bool:
    """The browser's example needs somebody who clicks: a test of the client, which starts a service of its own."""
    log = directory / "example-browser.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(str(ROOT / "scripts/clients/typescript.sh"), "test-browser"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=clean_environment({"CHATBRIDGE_BIN": str(binary())}),
            cwd=ROOT,
            start_new_session=True,
        )
    begun_s = time.monotonic()
    try:
        code = await asyncio.wait_for(process.wait(), _BROWSER_TIMEOUT_S)
    except asyncio.TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        code = await process.wait()
    if code != 0:
        print(f"example browser of typescript: FAIL: {log.read_text(errors='replace')[-2000:]}", flush=True)
        return True
    print(f"example browser of typescript: ok ({time.monotonic() - begun_s:.1f} s)", flush=True)
    return False


async def _bot(example: Example) -> None:
    try:
        await example.start()
        await example.succeeds()
    finally:
        await example.close()
    lines = example.lines
    wanted = [r"agent joined: \S.*", r"agent: \S.*", r"ended"]
    at = -1
    for pattern in wanted:
        found = [number for number, line in enumerate(lines) if number > at and re.fullmatch(pattern, line)]
        if not found:
            raise StepError(f"there is no line {pattern!r} where it should be; it wrote {lines}")
        at = found[0]
    if lines[-1] != "ended":
        raise StepError(f"the last line is {lines[-1]!r}, expected 'ended'")


async def _worker(client: str, world: World, log: Path) -> None:
    file = world.directory / "worker.cursor"
    conversations = [await world.sandbox.begin(f"worker {number}") for number in range(_CONVERSATIONS)]
    await asyncio.gather(*(world.sandbox.silence(conversation) for conversation in conversations))
    speaking = asyncio.create_task(_speak(world.sandbox, conversations))
    runs: list[Example] = []

    def count() -> int:
        return sum(len(example.lines) for example in runs)

    try:
        for lines in _KILLS:
            runs.append(await _started(client, world, file, log))
            await runs[-1].until(lambda lines=lines: count() >= lines)  # type: ignore[misc]
            await runs[-1].kill()
        runs.append(await _started(client, world, file, log))
        await speaking
        wanted = {
            (conversation, number)
            for conversation in conversations
            for number in range(1, await world.sandbox.delivered(conversation) + 1)
        }
        await runs[-1].until(lambda: wanted <= {place for example in runs for place in _places(example.lines)})
        await runs[-1].stop()
    finally:
        speaking.cancel()
        for example in runs:
            await example.close()
    _judge(runs)


async def _started(client: str, world: World, file: Path, log: Path) -> Example:
    example = Example(client, ["worker", str(file)], world, log)
    await example.start()
    return example


async def _speak(sandbox: Sandbox, conversations: list[str]) -> None:
    begun_s = time.monotonic()
    for number in range(_MESSAGES * len(conversations)):
        await asyncio.sleep(max(0.0, begun_s + number / _PER_SECOND - time.monotonic()))
        await sandbox.say(conversations[number % len(conversations)], f"word {number}")
    while await sandbox.waiting():  # noqa: ASYNC110 (another process delivers them)
        await asyncio.sleep(0.02)


def _places(lines: list[str]) -> list[_Place]:
    found = []
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None:
            raise StepError(f"the line {line!r} is not CONVERSATION_ID SEQUENCE KIND")
        # The check of the webhook's address belongs to no conversation.
        if match[1] != "-":
            found.append((match[1], int(match[2])))
    return found


def _judge(runs: list[Example]) -> None:
    """Each run goes on where the one before was killed. A kill leaves one event at most done and not saved."""
    done: set[_Place] = set()
    again = 0
    for kills, example in enumerate(runs):
        last: dict[str, int] = {}
        for conversation, sequence in _places(example.lines):
            if conversation in last and sequence != last[conversation] + 1:
                raise StepError(
                    f"run {kills + 1}: event {sequence} of {conversation} came behind {last[conversation]}"
                )
            last[conversation] = sequence
            again += (conversation, sequence) in done
            done.add((conversation, sequence))
        if again > kills:
            raise StepError(f"after {kills} kills {again} events were done again, expected one for each at most")
