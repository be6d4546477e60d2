#!/usr/bin/env python3
"""Runs the scenarios beside it in every language, against the real service, Redis and sandbox.

The exit code is 0 where everything is as it should be, 1 where something is not, and 2 where it could not be run.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
# The client of this very checkout has the contract's stubs.
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "clients/python/src")]

from runner.examples import CLIENTS, run_examples  # noqa: E402
from runner.failure import SetupError  # noqa: E402
from runner.files import Language, read_languages, read_scenarios  # noqa: E402
from runner.matrix import failures, matrix, told, write_junit  # noqa: E402
from runner.season import Result, Season  # noqa: E402
from runner.world import require_programs  # noqa: E402
from stubs.scenario_pb2 import Scenario  # noqa: E402

_MOST_SECOND_CHANCES = 3


def main() -> int:
    """Does what the command line asks for."""
    arguments = _arguments()
    directory = Path(tempfile.mkdtemp(prefix="chatbridge-scenarios-"))
    code = 2
    try:
        require_programs()
        languages = _chosen_languages(arguments.language)
        scenarios = _chosen_scenarios(arguments.scenario, read_scenarios(read_languages()))
        if arguments.examples:
            clients = sorted({language.client for language in languages}, key=CLIENTS.index)
            code = 1 if asyncio.run(run_examples(directory, clients)) else 0
            return code
        if arguments.list:
            for scenario in scenarios:
                print(f"{scenario.name}: {' '.join(scenario.why.split())}")
            return 0
        code = asyncio.run(_run(arguments, scenarios, languages, directory))
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
    finally:
        if code == 0 and not arguments.keep:
            shutil.rmtree(directory)
        else:
            print(f"The logs are in {directory}")
    return code


async def _run(
    arguments: argparse.Namespace, scenarios: list[Scenario], languages: list[Language], directory: Path
) -> int:
    print(f"{len(scenarios)} scenarios in {len(languages)} languages; seed {arguments.seed}", flush=True)
    begun_s = time.monotonic()
    season = Season(scenarios, languages, directory, arguments.seed, arguments.jobs)
    results = await season.play(lambda result: print(told(result), flush=True))
    if arguments.second_chance:
        results = await _second_chance(results, languages, directory, arguments.seed)
    failed = failures(results)
    print(f"\n{matrix(results, languages)}\n")
    if arguments.junit:
        write_junit(results, arguments.junit)
    cells = len(scenarios) * len(languages)
    print(f"{cells - failed} of {cells} as they should be, in {time.monotonic() - begun_s:.0f} s")
    return 1 if failed else 0


async def _second_chance(
    results: list[Result], languages: list[Language], directory: Path, seed: int
) -> list[Result]:
    """Plays the few that failed once more, one at a time, and names those that pass then."""
    failed = [result.scenario for result in results if failures([result])]
    if not 0 < len(failed) <= _MOST_SECOND_CHANCES:
        return results
    names = ", ".join(scenario.name for scenario in failed)
    print(f"\nfailed beside others; once more, one at a time: {names}", flush=True)
    again = directory / "again"
    again.mkdir()
    second = await Season(failed, languages, again, seed, 1).play(lambda result: print(told(result), flush=True))
    by_name = {result.scenario.name: result for result in second}
    steady = ", ".join(name for name, result in by_name.items() if not failures([result]))
    if steady:
        print(f"\nUNSTEADY: passed the second time only: {steady}", flush=True)
    return [by_name.get(result.scenario.name, result) for result in results]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--language", nargs="+", action="extend", help="only in these languages")
    parser.add_argument("--scenario", nargs="+", action="extend", help="only these scenarios")
    parser.add_argument("--jobs", type=int, default=2, help="how many scenarios run at a time (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="what chance begins with")
    parser.add_argument("--junit", type=Path, help="write the results to this file, in JUnit's XML")
    parser.add_argument("--keep", action="store_true", help="keep the logs of all programs, not only after a failure")
    parser.add_argument("--second-chance", action="store_true", help="play the few that fail once more, alone")
    parser.add_argument("--examples", action="store_true", help="run the clients' examples instead")
    parser.add_argument("--list", action="store_true", help="say which scenarios there are, and run none")
    return parser.parse_args()


def _chosen_languages(names: list[str] | None) -> list[Language]:
    languages = read_languages()
    unknown = set(names or []) - {language.name for language in languages}
    if unknown:
        known = ", ".join(language.name for language in languages)
        raise SetupError(f"no such language: {', '.join(sorted(unknown))}; there are {known}")
    return [language for language in languages if not names or language.name in names]


def _chosen_scenarios(names: list[str] | None, scenarios: list[Scenario]) -> list[Scenario]:
    unknown = set(names or []) - {scenario.name for scenario in scenarios}
    if unknown:
        raise SetupError(f"no such scenario: {', '.join(sorted(unknown))}; --list says which there are")
    return [scenario for scenario in scenarios if not names or scenario.name in names]


if __name__ == "__main__":
    sys.exit(main())
