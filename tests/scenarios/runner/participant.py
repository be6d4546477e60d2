"""A language that takes part in a scenario."""

from __future__ import annotations

import asyncio
import hashlib
import time
import uuid
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf.message import Message

from runner.driver import Driver
from runner.failure import StepError
from runner.heard import Heard
from runner.proxy import Proxy
from runner.variables import filled_in
from runner.world import World
from stubs import driver_pb2, scenario_pb2
from stubs.driver_pb2 import Request, Response

_M = TypeVar("_M", bound=Message)

# Beyond what the request itself may take.
SLACK_S = 15.0


class Participant:
    """A language in a scenario: its driver, its proxies, its variables, and what its streams have heard."""

    def __init__(
        self, driver: Driver, scenario: scenario_pb2.Scenario, run: str, world: World, directory: Path
    ) -> None:
        """`run` sets its names apart from those of other scenarios that the driver is busy with."""
        self.driver = driver
        self.world = world
        self.language = driver.language.name
        self._scenario = scenario
        self._run = run
        self._directory = directory
        self.variables: dict[str, Any] = {
            "language": self.language,
            "scenario": scenario.name,
            "uuid": str(uuid.uuid4()),
        }
        for caller in world.spec.callers:
            self.variables[f"{caller.name}.token"] = world.token(caller.name, self.language)
        self.background: dict[str, asyncio.Task[None]] = {}
        self.networked_s: dict[int, float] = {}
        self.heard: dict[str, Heard] = {}
        self.subscriptions: dict[str, tuple[str, str]] = {}
        """By stream: the client, and the subscription that is read."""
        self._proxies: dict[int, Proxy] = {}
        self._proxies_lock = asyncio.Lock()
        self._opening = asyncio.Lock()
        self._clients: set[str] = set()
        self._generation = 0
        self.memory: asyncio.Task[None] | None = None
        self.memory_bytes: list[int] = []
        self.received_before = 0

    def fill(self, message: _M) -> _M:
        """A step with the values of its variables."""
        return filled_in(message, self.variables)

    async def proxy(self, replica: int) -> Proxy:
        """The language's own proxy before a replica."""
        async with self._proxies_lock:
            if replica not in self._proxies:
                proxy = Proxy(lambda: self.world.address(replica))
                await proxy.start()
                self._proxies[replica] = proxy
            return self._proxies[replica]

    @property
    def proxies(self) -> list[Proxy]:
        """Those that have been needed."""
        return list(self._proxies.values())

    async def ask(self, request: Request, timeout_s: float) -> Response:
        """Has the driver do something."""
        return await self.driver.ask(request, timeout_s + SLACK_S)

    async def done(self, request: Request) -> None:
        """Has the driver do what only can succeed."""
        response = await self.ask(request, SLACK_S)
        if response.HasField("error"):
            raise StepError(f"the driver answered an error: {response.error.message}")

    async def client(self, name: str) -> str:
        """The driver's name of a client; the one without a name is opened when it is needed first."""
        if name:
            return self.named(name)
        async with self._opening:
            await self.driver.ensure_started()
            if self.driver.generation != self._generation:
                self._generation = self.driver.generation
                self._clients.clear()
            if "" not in self._clients:
                await self.open_client(self.fill(self._scenario.client))
        return self.named("")

    async def open_client(self, step: scenario_pb2.OpenClient) -> None:
        """Opens a client."""
        replicas = list(step.replicas) or [0]
        host = "127.0.0.1"
        targets = [f"{host}:{(await self.proxy(replica)).port}" for replica in replicas]
        opening = driver_pb2.OpenClient(
            client=self.named(step.client),
            target=targets[0],
            targets=targets if len(targets) > 1 else [],
            tenant=step.tenant,
            token=self.web_token(step.web_token) if step.HasField("web_token") else step.token,
            attempts=step.attempts,
        )
        if step.HasField("timeout"):
            opening.timeout.CopyFrom(step.timeout)
        if step.authority:
            opening.ca_pem = self.world.authority(step.authority)
        if step.certificate:
            certificate = self.world.certificate(step.certificate, self.language)
            opening.certificate_pem, opening.key_pem = certificate.certificate, certificate.key
        await self.done(Request(open_client=opening))
        self._clients.add(step.client)

    def web_token(self, step: scenario_pb2.WebToken) -> str:
        """A new web token of the language."""
        return self.world.web_token(self.language, step.valid.ToTimedelta().total_seconds())

    async def close_client(self, name: str) -> None:
        """Closes a client."""
        await self.done(Request(close_client=driver_pb2.CloseClient(client=self.named(name))))
        self._clients.discard(name)

    def named(self, name: str) -> str:
        """A client's or a stream's name, as the driver knows it."""
        return f"{self._run}/{name or 'main'}"

    def cursor_file(self) -> Path:
        """Where the driver's hooks keep the cursor."""
        return self._directory / f"{self._run.replace('/', '-')}-{self.language}.cursor"

    async def leave(self) -> None:
        """Closes what the scenario has opened."""
        for task in [*self.background.values(), *([self.memory] if self.memory else [])]:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        try:
            if self.driver.pid is not None and self.driver.generation == self._generation:
                for name in list(self._clients):
                    await self.close_client(name)
        finally:
            for proxy in self._proxies.values():
                await proxy.close()


def bytes_of(content: scenario_pb2.Content) -> bytes:
    """A file's bytes, which look random and are the same each time."""
    block = hashlib.sha256(str(content.seed).encode()).digest()
    return (block * (content.size // len(block) + 1))[: content.size]


def now_s() -> float:
    """By the clock that never steps."""
    return time.monotonic()
