"""The matrix of scenarios and languages, and whether it is as it should be."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from runner.files import Language
from runner.play import Outcome
from runner.season import Result
from stubs.scenario_pb2 import KnownFailure

_CELL = 12


def mark(result: Result, outcome: Outcome) -> str:
    """`ok`, `known` or `FAIL`."""
    known = _known(result, outcome)
    if outcome.problem:
        return "known" if known is not None and known.told in outcome.problem else "FAIL"
    return "ok" if known is None else "FAIL"


def problem(result: Result, outcome: Outcome) -> str:
    """Why a cell is a failure; empty: it is none."""
    if mark(result, outcome) != "FAIL":
        return ""
    known = _known(result, outcome)
    if known is None:
        return outcome.problem
    if outcome.problem:
        return f"it is known to fail with {known.told!r}, but: {outcome.problem}"
    return f"it passed, although it is known to fail: {known.reason}"


def told(result: Result) -> str:
    """A result as it comes: one line, and one for each failure."""
    counts = [mark(result, outcome) for outcome in result.outcomes]
    failed = counts.count("FAIL")
    state = f"FAIL in {failed} of {len(counts)}" if failed else "ok"
    lines = [f"{result.scenario.name}: {state} ({result.took_s:.1f} s)"]
    lines += [
        f"    {outcome.language}: {wrong}" for outcome in result.outcomes if (wrong := problem(result, outcome))
    ]
    return "\n".join(lines)


def matrix(results: list[Result], languages: list[Language]) -> str:
    """The table: for each scenario a row, for each language a column, with seconds."""
    width = max([len(result.scenario.name) for result in results] + [8])
    lines = [" ".join([f"{'scenario':{width}}", *(f"{language.name:>{_CELL}}" for language in languages)])]
    for result in results:
        cells = []
        for outcome in result.outcomes:
            cells.append(f"{f'{mark(result, outcome)} {outcome.took_s:5.1f}':>{_CELL}}")
        lines.append(" ".join([f"{result.scenario.name:{width}}", *cells]))
    return "\n".join(lines)


def failures(results: list[Result]) -> int:
    """How many cells failed."""
    return sum(bool(problem(result, outcome)) for result in results for outcome in result.outcomes)


def write_junit(results: list[Result], path: Path) -> None:
    """Writes the results as JUnit's XML, which most CI systems show."""
    suites = ET.Element("testsuites")
    for result in results:
        suite = ET.SubElement(suites, "testsuite", name=result.scenario.name, tests=str(len(result.outcomes)))
        for outcome in result.outcomes:
            case = ET.SubElement(
                suite,
                "testcase",
                classname=result.scenario.name,
                name=outcome.language,
                time=f"{outcome.took_s:.3f}",
            )
            if wrong := problem(result, outcome):
                ET.SubElement(case, "failure", message=wrong.splitlines()[0]).text = wrong
    ET.ElementTree(suites).write(path, encoding="utf-8", xml_declaration=True)


def _known(result: Result, outcome: Outcome) -> KnownFailure | None:
    for known in result.scenario.known_failures:
        if known.language == outcome.language:
            return known
    return None
