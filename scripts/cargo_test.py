"""Runs every Rust test, and the few that fail beside all others once more, alone.

Many tests start servers and wait for what must happen within a time. A machine that stands still for some seconds
breaks such a time, and no promise. What fails alone too, or fails among more than a few, is a failure.

Usage: cargo_test.py [ARGUMENT OF cargo test...]
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field

_MOST_SECOND_CHANCES = 3
# Most tests wait most of the time.
_THREADS_PER_CORE = 2
_CARGO = ["cargo", "test", "--locked", "--quiet"]
# libtest lists the names of those that failed as its last list, and cargo says then which target that was.
_LIST = re.compile(r"^failures:$")
_NAME = re.compile(r"^    (\S.*)$")
_TARGET = re.compile(r"^error: test failed, to rerun pass `(.+)`$")


@dataclass
class Run:
    """How a run of cargo ended."""

    code: int
    passed: int = 0
    # Of each target that failed, the tests that did; none where it has no such list.
    failed: dict[str, list[str]] = field(default_factory=dict)


def read(lines: list[str]) -> dict[str, list[str]]:
    """Which targets and tests failed, from what cargo printed."""
    failed: dict[str, list[str]] = {}
    names: list[str] = []
    listing = False
    for line in lines:
        if _LIST.match(line):
            names, listing = [], True
        elif target := _TARGET.match(line):
            failed[target[1]] = sorted(set(names))
            names, listing = [], False
        elif listing and (name := _NAME.match(line)):
            names.append(name[1])
        elif line.strip():
            listing = False
    return failed


def _run(arguments: list[str]) -> Run:
    lines: list[str] = []
    passed = 0
    with subprocess.Popen(
        [*_CARGO, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as cargo:
        assert cargo.stdout is not None
        for line in cargo.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            lines.append(line.rstrip("\n"))
            if result := re.match(r"^test result: .* (\d+) passed;", line):
                passed += int(result[1])
    return Run(cargo.returncode, passed, read(lines))


def _alone(target: str, names: list[str]) -> bool:
    """Whether those tests pass one by one; without names, whether the whole target does."""
    run = _run([*shlex.split(target), *(["--", "--test-threads=1", "--exact", *names] if names else [])])
    return run.code == 0 and run.passed >= len(names)


def main(arguments: list[str]) -> int:
    """Runs them all, and some again."""
    os.environ.setdefault("RUST_TEST_THREADS", str(_THREADS_PER_CORE * (os.cpu_count() or 1)))
    first = _run(["--no-fail-fast", *arguments])
    if first.code == 0:
        return 0
    chances = [(target, name) for target, names in first.failed.items() for name in (names or [""])]
    if not chances or len(chances) > _MOST_SECOND_CHANCES:
        return first.code
    told = [f"{target} {name}".rstrip() for target, name in chances]
    print(f"\n== Failed beside all others; once more, alone: {', '.join(told)}", flush=True)
    if not all(_alone(target, names) for target, names in first.failed.items()):
        return first.code
    print(f"\nUNSTEADY: passed alone, and not beside all others: {', '.join(told)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
