"""Steps with a language's network, agents and memory."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from pathlib import Path

from runner.contract import full_name
from runner.failure import StepError
from runner.heard import wanted_texts
from runner.participant import Participant, bytes_of, now_s
from stubs import scenario_pb2

_UPSTREAM_TIMEOUT_S = 10.0
_CONNECTIONS_TIMEOUT_S = 5.0
_POLL_S = 0.02
_MEMORY_POLL_S = 0.25
_MIB = 1 << 20


async def network(who: Participant, step: scenario_pb2.Network) -> None:
    """Does something to the connections to a replica."""
    proxy = await who.proxy(step.replica)
    who.networked_s[step.replica] = now_s()
    slow = step.slow
    actions: dict[str, Callable[[], None]] = {
        "cut": proxy.cut,
        "black_hole": lambda: proxy.black_hole(step.black_hole.new_too),
        "hold_answers": proxy.hold_answers,
        "refuse": proxy.refuse,
        "slow": lambda: proxy.slow(slow.delay.ToTimedelta().total_seconds(), slow.bytes_per_second),
        "go_away": proxy.say_go_away,
        "heal": proxy.heal,
    }
    action = step.WhichOneof("action")
    if action is None:
        raise StepError("the scenario does not say what the network does")
    actions[action]()


async def connections(who: Participant, step: scenario_pb2.Connections) -> None:
    """Expects connections since the last step with the network."""
    proxy = await who.proxy(step.replica)
    since_s = who.networked_s.get(step.replica, 0.0)

    def new() -> list[float]:
        return [opened_s - since_s for opened_s in proxy.opened_s if opened_s >= since_s]

    within_s = step.within.ToTimedelta().total_seconds() if step.HasField("within") else None
    deadline_s = since_s + within_s if within_s is not None else now_s() + _CONNECTIONS_TIMEOUT_S
    # A proxy has no need of events but for this.
    while len(new()) < step.at_least and now_s() < deadline_s:  # noqa: ASYNC110
        await asyncio.sleep(_POLL_S)
    made = [f"{after_s:.2f} s" for after_s in new()]
    in_time = [after_s for after_s in new() if within_s is None or after_s <= within_s]
    if len(in_time) < step.at_least:
        limit = f" within {within_s:g} s" if within_s is not None else ""
        raise StepError(f"expected {step.at_least} new connections{limit}, got {made or 'none'}")
    if step.HasField("at_most") and len(made) > step.at_most:
        raise StepError(f"expected at most {step.at_most} new connections, got them after {made}")


async def upstream(who: Participant, step: scenario_pb2.Upstream) -> None:
    """Expects requests at the sandbox."""
    deadline_s = now_s() + _UPSTREAM_TIMEOUT_S
    while True:
        found = await who.world.sandbox.requests(step.conversation, step.method, step.path)
        if len(found) >= step.count or now_s() > deadline_s:
            break
        await asyncio.sleep(_POLL_S)
    if len(found) != step.count:
        raise StepError(f"{len(found)} requests {step.method} {step.path} reached the vendor, expected {step.count}")


async def headers(who: Participant, step: scenario_pb2.Headers) -> None:
    """Expects headers of the last request of a method."""
    path = f"/{full_name(step.method)}"
    deadline_s = now_s() + _CONNECTIONS_TIMEOUT_S
    while True:
        found = [seen for proxy in who.proxies for seen in proxy.requests if seen.get(":path") == path]
        if len(found) >= max(1, step.count) or now_s() > deadline_s:
            break
        await asyncio.sleep(_POLL_S)
    if not found:
        raise StepError(f"no request of {step.method} was seen")
    if step.count and len(found) != step.count:
        raise StepError(f"{len(found)} requests of {step.method} were made, expected {step.count}")
    last = found[-1]
    for name, pattern in step.values.items():
        if re.fullmatch(pattern, last.get(name, "")) is None:
            raise StepError(f"the header {name} is {last.get(name)!r}, expected {pattern!r}")
    for name in step.absent:
        if name in last:
            raise StepError(f"there is a header {name}")


async def say(who: Participant, step: scenario_pb2.Say) -> None:
    """Has agents speak."""
    texts = wanted_texts(step.texts, step.numbered if step.HasField("numbered") else None)

    async def speak(conversation: str) -> None:
        begun_s = now_s()
        for number, text in enumerate(texts):
            if step.per_second:
                await asyncio.sleep(max(0.0, begun_s + number / step.per_second - now_s()))
            await who.world.sandbox.say(conversation, filled_up(text, step.size))

    await asyncio.gather(*(speak(conversation) for conversation in step.conversations))


async def deposit(who: Participant, step: scenario_pb2.Deposit) -> None:
    """Puts a file into a conversation without Chatbridge."""
    content = bytes_of(step.content)
    who.variables["file"] = await who.world.sandbox.deposit(step.conversation, step.file_name, content)


def filled_up(text: str, size: int) -> str:
    """A text of that size; what was added is behind a line break."""
    return text if len(text) >= size else f"{text}\n{'x' * (size - len(text) - 1)}"


async def kill_driver(who: Participant, _step: scenario_pb2.KillDriver) -> None:
    """Kills the driver."""
    await who.driver.kill()


async def watch_memory(who: Participant, step: scenario_pb2.WatchMemory) -> None:
    """Begins or ends a watch over the memory of the driver."""
    received = sum(proxy.sent_down for proxy in who.proxies)
    if not step.grown_mib_at_most:
        who.memory_bytes, who.received_before = [], received
        who.memory = asyncio.create_task(_watch(who))
        return
    if who.memory is None:
        raise StepError("the scenario has begun no watch")
    who.memory.cancel()
    await asyncio.gather(who.memory, return_exceptions=True)
    who.memory = None
    first, most = who.memory_bytes[0], max(who.memory_bytes)
    grown_mib = (most - first) / _MIB
    received_mib = (received - who.received_before) / _MIB
    found = f"the driver grew from {first // _MIB} by {grown_mib:.0f} MiB, and was sent {received_mib:.0f} MiB"
    if grown_mib > step.grown_mib_at_most or received_mib > step.received_mib_at_most:
        limits = f"{step.grown_mib_at_most} and {step.received_mib_at_most} MiB"
        raise StepError(f"{found}; expected at most {limits}")


async def _watch(who: Participant) -> None:
    while True:
        pid = who.driver.pid
        if pid is not None:
            who.memory_bytes.append(await asyncio.to_thread(_memory_bytes, pid))
        await asyncio.sleep(_MEMORY_POLL_S)


def _memory_bytes(root: int) -> int:
    """What a process and those below it have in memory; what they share counts once."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            # The program's name, in parentheses, may have spaces.
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            children.setdefault(int(parent), []).append(int(entry.name))
    total, left = 0, [root]
    while left:
        pid = left.pop()
        left += children.get(pid, [])
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total
