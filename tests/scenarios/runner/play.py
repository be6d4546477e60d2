"""Plays a scenario in all languages at the same time, step by step."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.message import Message

from runner import calls, network, scene, streams
from runner.driver import Driver
from runner.failure import SetupError, StepError
from runner.participant import Participant
from runner.variables import filled_in
from runner.world import World
from stubs.scenario_pb2 import Scenario, Step

_LIMIT_S = 60.0
_JOIN_S = 30.0

# The messages differ from step to step, which a table of functions cannot say.
_LanguageStep = Callable[[Participant, Any], Awaitable[None]]
_WorldStep = Callable[[World, Any, dict[str, Any]], Awaitable[None]]

_LANGUAGE_STEPS: dict[str, _LanguageStep] = {
    "open_client": calls.open_client,
    "close_client": calls.close_client,
    "set_token": calls.set_token,
    "converse": calls.converse,
    "call": calls.call,
    "upload": calls.upload,
    "download": calls.download,
    "hand_over": calls.hand_over,
    "iterate": calls.iterate,
    "commit": calls.commit,
    "open_stream": streams.open_stream,
    "take": streams.take,
    "change": streams.change,
    "close_stream": streams.close_stream,
    "kill_driver": network.kill_driver,
    "say": network.say,
    "network": network.network,
    "connections": network.connections,
    "upstream": network.upstream,
    "headers": network.headers,
    "deposit": network.deposit,
    "watch_memory": network.watch_memory,
}
_WORLD_STEPS: dict[str, _WorldStep] = {
    "replica": scene.replica,
    "redis": scene.redis,
    "change_callers": scene.change_callers,
    "chorus": scene.chorus,
    "kills": scene.kills,
    "vendor": scene.vendor,
    "pause": scene.pause,
}
# After these a world is not what it was.
_BREAKING = frozenset({"replica", "redis", "change_callers", "kills", "vendor"})


@dataclass
class Outcome:
    """How a scenario went in a language."""

    language: str
    problem: str = ""
    """Empty: all was as expected."""
    took_s: float = 0.0
    """Over the language's own steps: it waits for the slowest after each."""


def is_alone(scenario: Scenario) -> bool:
    """Whether nobody else may be in its world."""
    return scenario.world.alone or any(step.WhichOneof("step") in _BREAKING for step in scenario.steps)


def has_own_drivers(scenario: Scenario) -> bool:
    """Whether nobody else may use its drivers."""
    return scenario.world.own_drivers or any(step.HasField("kill_driver") for step in scenario.steps)


class Play:
    """One run of a scenario."""

    def __init__(
        self, scenario: Scenario, drivers: list[Driver], world: World, directory: Path, run: str, seed: int
    ) -> None:
        """Not begun yet."""
        self._scenario = scenario
        self._world = world
        self._seed = seed
        self._shared: dict[str, Any] = {"seed": seed}
        self._background: dict[str, asyncio.Task[None]] = {}
        self._all = [Participant(driver, scenario, run, world, directory) for driver in drivers]
        self._in = list(self._all)
        self._outcomes: dict[str, Outcome] = {}
        self._took_s: dict[str, float] = {}

    async def run(self) -> list[Outcome]:
        """Plays it to its end, or to its limit."""
        limit_s = self._scenario.limit.ToTimedelta().total_seconds() or _LIMIT_S
        try:
            await asyncio.wait_for(self._steps(), limit_s)
        except asyncio.TimeoutError:
            self._all_fail(f"it was not over within {limit_s:g} s")
        finally:
            for task in self._background.values():
                task.cancel()
            await asyncio.gather(*self._background.values(), return_exceptions=True)
        await asyncio.gather(*(self._leave(who) for who in self._all))
        for outcome in self._outcomes.values():
            outcome.took_s = self._took_s.get(outcome.language, 0.0)
        return [self._outcomes[who.language] for who in self._all]

    async def _steps(self) -> None:
        for number, step in enumerate(self._scenario.steps, 1):
            if not self._in:
                return
            kind = step.WhichOneof("step") or ""
            place = f"step {number} ({kind})"
            if kind in _WORLD_STEPS:
                await self._world_step(step, kind, place)
            elif kind == "join" and step.join.background in self._background:
                await self._join_world(step, place)
            else:
                await asyncio.gather(*(self._language_step(who, step, kind, place) for who in list(self._in)))

    async def _world_step(self, step: Step, kind: str, place: str) -> None:
        async def go() -> None:
            filled = filled_in(getattr(step, kind), self._shared)
            await _WORLD_STEPS[kind](self._world, filled, self._shared)
            for who in self._in:
                who.variables.update(self._shared)

        if step.background:
            self._background[step.background] = asyncio.create_task(go())
            return
        try:
            await go()
        except Exception as error:
            self._all_fail(f"{place}: {_text(error)}")

    async def _join_world(self, step: Step, place: str) -> None:
        timeout_s = step.join.timeout.ToTimedelta().total_seconds() or _JOIN_S
        try:
            await asyncio.wait_for(self._background[step.join.background], timeout_s)
        except asyncio.TimeoutError:
            self._all_fail(f"{place}: {step.join.background} was not over within {timeout_s:g} s")
        except Exception as error:
            self._all_fail(f"{place}: {_text(error)}")

    async def _language_step(self, who: Participant, step: Step, kind: str, place: str) -> None:
        async def go() -> None:
            message: Message = getattr(step, kind)
            await _LANGUAGE_STEPS[kind](who, who.fill(message))

        begun_s = time.monotonic()
        try:
            if kind == "join":
                await self._join(who, step)
            elif step.background:
                who.background[step.background] = asyncio.create_task(go())
            else:
                await go()
        except Exception as error:
            # What goes wrong in the background is often why.
            before = [
                f"{name}: {_text(wrong)}"
                for name, task in who.background.items()
                if task.done() and not task.cancelled() and isinstance(wrong := task.exception(), Exception)
            ]
            self._fail(who, "; before that ".join([f"{place}: {_text(error)}", *before]))
        finally:
            self._took_s[who.language] = self._took_s.get(who.language, 0.0) + time.monotonic() - begun_s

    async def _join(self, who: Participant, step: Step) -> None:
        task = who.background.get(step.join.background)
        if task is None:
            raise StepError(f"the scenario has nothing in the background named {step.join.background}")
        timeout_s = step.join.timeout.ToTimedelta().total_seconds() or _JOIN_S
        try:
            await asyncio.wait_for(task, timeout_s)
        except asyncio.TimeoutError:
            raise StepError(f"{step.join.background} was not over within {timeout_s:g} s") from None

    async def _leave(self, who: Participant) -> None:
        if who in self._in:
            self._outcomes[who.language] = Outcome(who.language)
        try:
            await who.leave()
        except Exception as error:
            if not self._outcomes[who.language].problem:
                self._outcomes[who.language].problem = f"at the end: {_text(error)}"

    def _fail(self, who: Participant, problem: str) -> None:
        self._outcomes[who.language] = Outcome(who.language, problem)
        self._in.remove(who)

    def _all_fail(self, problem: str) -> None:
        for who in list(self._in):
            self._fail(who, problem)


def _text(error: Exception) -> str:
    return str(error) if isinstance(error, (StepError, SetupError)) else f"the runner failed: {error!r}"
