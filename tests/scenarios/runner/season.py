"""Plays many scenarios: two at a time, in worlds that are shared as far as they may be."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runner.driver import Driver
from runner.failure import SetupError, StepError
from runner.files import Language
from runner.play import Outcome, Play, has_own_drivers, is_alone
from runner.process import listen, port_of
from runner.world import World
from stubs.scenario_pb2 import Scenario

# As many drivers of a language as there may be at once: the common one, and one for each scenario that wants its own.
_ORIGINS = 4


@dataclass
class Result:
    """How a scenario went."""

    scenario: Scenario
    took_s: float
    outcomes: list[Outcome]


class Season:
    """Plays scenarios."""

    def __init__(
        self, scenarios: list[Scenario], languages: list[Language], directory: Path, seed: int, jobs: int
    ) -> None:
        """Nothing is started yet."""
        self._scenarios = scenarios
        self._languages = languages
        self._directory = directory
        self._seed = seed
        self._jobs = jobs
        self._origins = [listen() for _ in range(_ORIGINS)]
        self._free_origins = self._origins[1:]
        self._drivers = [Driver(language, directory, self._origins[0]) for language in languages]
        self._worlds: dict[bytes, World] = {}
        self._starting: dict[bytes, asyncio.Lock] = {}
        self._users = Counter(_key(scenario) for scenario in scenarios if not is_alone(scenario))

    async def play(self, told: Callable[[Result], None]) -> list[Result]:
        """Plays them all, and tells each result as it comes."""
        results: dict[str, Result] = {}

        async def work(queue: list[Scenario]) -> None:
            while queue:
                scenario = queue.pop(0)
                result = await self._play(scenario)
                results[scenario.name] = result
                told(result)

        together = [scenario for scenario in self._scenarios if not scenario.exclusive]
        # Those that take long begin early, so that none is left alone in the end.
        together.sort(key=lambda scenario: -scenario.limit.seconds)
        try:
            await asyncio.gather(*(work(together) for _ in range(self._jobs)))
            await work([scenario for scenario in self._scenarios if scenario.exclusive])
        finally:
            await asyncio.gather(*(world.stop() for world in self._worlds.values()))
            ends = await asyncio.gather(*(driver.stop() for driver in self._drivers), return_exceptions=True)
            for origin in self._origins:
                origin.close()
        for driver, end in zip(self._drivers, ends, strict=True):
            if isinstance(end, StepError):
                raise SetupError(f"{driver.language.name}: {end}")
        return [results[scenario.name] for scenario in self._scenarios]

    async def _play(self, scenario: Scenario) -> Result:
        begun_s = time.monotonic()
        own = has_own_drivers(scenario)
        directory = self._directory / scenario.name
        directory.mkdir(exist_ok=True)
        origin = self._free_origins.pop() if own else self._origins[0]
        drivers = [Driver(language, directory, origin) for language in self._languages] if own else self._drivers
        try:
            world = await self._world(scenario)
            play = Play(scenario, drivers, world, directory, scenario.name, self._seed)
            outcomes = await play.run()
        except (SetupError, StepError) as error:
            outcomes = [Outcome(language.name, f"the world did not start: {error}") for language in self._languages]
        finally:
            await self._leave_world(scenario)
            if own:
                await asyncio.gather(*(driver.stop() for driver in drivers), return_exceptions=True)
                self._free_origins.append(origin)
        return Result(scenario, time.monotonic() - begun_s, outcomes)

    async def _world(self, scenario: Scenario) -> World:
        key = _key(scenario)
        async with self._starting.setdefault(key, asyncio.Lock()):
            if key not in self._worlds:
                names = [language.name for language in self._languages]
                directory = self._directory / f"world-{scenario.name}"
                world = World(scenario.world, names, directory, [port_of(origin) for origin in self._origins])
                self._worlds[key] = world
                await world.start()
            return self._worlds[key]

    async def _leave_world(self, scenario: Scenario) -> None:
        key = _key(scenario)
        self._users[key] -= 1
        if self._users[key] <= 0 and key in self._worlds:
            await self._worlds.pop(key).stop()


def _key(scenario: Scenario) -> bytes:
    """Equal for scenarios that may share a world."""
    alone = scenario.name if is_alone(scenario) else ""
    return alone.encode() + b"\0" + scenario.world.SerializeToString(deterministic=True)
