"""A driver: the process that speaks for a client library."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket
from pathlib import Path

from google.protobuf.message import DecodeError

from runner.failure import StepError, UnsupportedError
from runner.files import ROOT, Language
from runner.process import clean_environment
from stubs.driver_pb2 import Request, Response

# Responses are lines, and a file is one.
_LINE_MAX_BYTES = 256 << 20
_STOP_TIMEOUT_S = 10.0
# How much longer the first answer may take: a browser that was never started on this machine takes its time.
_START_S = 60.0


class Driver:
    """A driver, which is started when it is needed, and anew when it has died."""

    def __init__(self, language: Language, directory: Path, origin: socket.socket) -> None:
        """Not started yet. A browser's page comes from `origin`, which listens already and stays the caller's."""
        self.language = language
        self.log = directory / f"driver-{language.name}.log"
        self._origin = origin
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._waiting: dict[int, asyncio.Future[Response]] = {}
        self._last_id = 0
        self._has_answered = False
        self.generation = 0

    @property
    def pid(self) -> int | None:
        """Of the process, while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def ensure_started(self) -> None:
        """Starts it, unless it runs."""
        async with self._starting:
            if self.pid is not None:
                return
            script = ROOT / self.language.driver[0]
            if not script.is_file():
                raise StepError(f"there is no {self.language.driver[0]}: the client's script is missing")
            with self.log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *("setpriv", "--pdeathsig", "KILL", str(script), *self.language.driver[1:]),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=log,
                    env=clean_environment({"CHATBRIDGE_DRIVER_ORIGIN_FD": str(self._origin.fileno())}),
                    pass_fds=(self._origin.fileno(),),
                    cwd=ROOT,
                    limit=_LINE_MAX_BYTES,
                )
            self.generation += 1
            self._has_answered = False
            self._reading = asyncio.create_task(self._read(self._process))

    async def ask(self, request: Request, timeout_s: float) -> Response:
        """Has it do something."""
        await self.ensure_started()
        process = self._process
        if process is None or process.stdin is None:
            raise StepError("the driver is not running")
        self._last_id += 1
        request.id = self._last_id
        waiting: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiting[request.id] = waiting
        if not self._has_answered:
            timeout_s += _START_S
        try:
            process.stdin.write(base64.b64encode(request.SerializeToString()) + b"\n")
            await process.stdin.drain()
            response = await asyncio.wait_for(waiting, timeout_s)
            self._has_answered = True
        except asyncio.TimeoutError:
            raise StepError(f"the driver did not answer within {timeout_s:g} s") from None
        except (BrokenPipeError, ConnectionResetError):
            raise StepError(self._died()) from None
        finally:
            self._waiting.pop(request.id, None)
        if response.WhichOneof("result") == "unsupported":
            raise UnsupportedError(f"unsupported: {response.unsupported}")
        if response.WhichOneof("result") == "failure":
            raise StepError(f"the driver failed: {response.failure}")
        return response

    async def kill(self) -> None:
        """Ends it with SIGKILL."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        if self._reading is not None:
            await self._reading

    async def stop(self) -> None:
        """Ends its input, and waits for it to end; kills it where it does not."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _STOP_TIMEOUT_S)
        except asyncio.TimeoutError:
            await self.kill()
            raise StepError(f"the driver did not end within {_STOP_TIMEOUT_S:g} s of its input") from None

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            try:
                response = Response.FromString(base64.b64decode(line, validate=False))
            except (ValueError, DecodeError):
                response = Response(failure=f"it wrote a line that is no response: {line[:200]!r}")
                for waiting in self._waiting.values():
                    if not waiting.done():
                        waiting.set_result(response)
                continue
            waiting_for = self._waiting.get(response.id)
            if waiting_for is not None and not waiting_for.done():
                waiting_for.set_result(response)
        await process.wait()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(StepError(self._died()))

    def _died(self) -> str:
        code = self._process.returncode if self._process is not None else None
        tail = self.log.read_text(errors="replace")[-1500:].strip() if self.log.exists() else ""
        return f"the driver died ({code}); its log {self.log} ends:\n{tail}"
