"""Steps that change the world that all languages share."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from runner.failure import StepError
from runner.network import filled_up
from runner.participant import now_s
from runner.world import World
from stubs import scenario_pb2

# Between a kill and the start, at most.
_DOWN_MAX_S = 0.5


async def replica(world: World, step: scenario_pb2.Replica, _variables: dict[str, Any]) -> None:
    """Does something to a replica."""
    await world.change_replica(step.replica, step.action)


async def redis(world: World, step: scenario_pb2.Redis, _variables: dict[str, Any]) -> None:
    """Does something to Redis."""
    await world.change_redis(step.action)


async def change_callers(world: World, step: scenario_pb2.ChangeCallers, _variables: dict[str, Any]) -> None:
    """Changes who may call."""
    await world.change_callers(list(step.remove), dict(step.tenants))


async def chorus(world: World, step: scenario_pb2.Chorus, variables: dict[str, Any]) -> None:
    """Has agents speak in conversations that all hear."""
    if step.name not in variables:
        begun = [await world.sandbox.begin(f"{step.name} {number}") for number in range(step.conversations)]
        await asyncio.gather(*(world.sandbox.silence(conversation) for conversation in begun))
        variables[step.name] = begun
    if step.silent:
        return
    conversations: list[str] = variables[step.name]
    begun_s = now_s()

    async def speak(number: int, conversation: str) -> None:
        for turn in range(step.messages):
            due_s = begun_s + (turn * len(conversations) + number) / step.per_second
            await asyncio.sleep(max(0.0, due_s - now_s()))
            await world.sandbox.say(conversation, filled_up(f"{step.name} {turn + 1}", step.size))

    await asyncio.gather(*(speak(number, conversation) for number, conversation in enumerate(conversations)))


async def kills(world: World, step: scenario_pb2.Kills, variables: dict[str, Any]) -> None:
    """Kills the first replica at random moments, and starts it again."""
    chance = random.Random(variables["seed"])
    over_s = step.over.ToTimedelta().total_seconds()
    moments_s = sorted(chance.uniform(0.0, over_s) for _ in range(step.count))
    begun_s = now_s()
    for moment_s in moments_s:
        await asyncio.sleep(max(0.0, begun_s + moment_s - now_s()))
        await world.change_replica(0, scenario_pb2.REPLICA_ACTION_KILL)
        await asyncio.sleep(chance.uniform(0.0, _DOWN_MAX_S))
        await world.change_replica(0, scenario_pb2.REPLICA_ACTION_START)


async def vendor(world: World, step: scenario_pb2.Vendor, _variables: dict[str, Any]) -> None:
    """Does something to the service's connections to the sandbox."""
    action = step.WhichOneof("action")
    if action == "cut":
        world.vendor.cut()
    elif action == "black_hole":
        world.vendor.black_hole(step.black_hole.new_too)
    elif action == "hold_answers":
        world.vendor.hold_answers()
    elif action == "heal":
        world.vendor.heal()
    else:
        raise StepError("the scenario does not say what becomes of the connections to the vendor")


async def pause(_world: World, step: scenario_pb2.Pause, _variables: dict[str, Any]) -> None:
    """Lets time pass."""
    await asyncio.sleep(step.time.ToTimedelta().total_seconds())
