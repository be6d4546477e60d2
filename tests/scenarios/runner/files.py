"""Where things are, and scenario files as the protocol types them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from google.protobuf import json_format

from runner.contract import method_of
from runner.failure import SetupError
from stubs.scenario_pb2 import Scenario

HERE = Path(__file__).resolve().parents[1]
ROOT = HERE.parents[1]
LANGUAGES = HERE / "languages.yaml"


@dataclass(frozen=True)
class Language:
    """A language of the matrix."""

    name: str
    driver: tuple[str, ...]
    """The program that speaks for it, and its arguments."""

    @property
    def client(self) -> str:
        """The client that it is the language of, as its script is named."""
        return Path(self.driver[0]).stem


class _Loader(yaml.SafeLoader):
    """YAML in which no key may come twice: of the first, nobody would know that it does nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for number, key in enumerate(keys):
            if key in keys[:number]:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key!r} is there twice", node.value[number][0].start_mark
                )
        return super().construct_mapping(node, deep)


def _read(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            return yaml.load(file, _Loader)
    except yaml.YAMLError as error:
        raise SetupError(f"{path}: {error}") from error


def read_languages() -> list[Language]:
    """The languages, in the order of the matrix."""
    return [Language(entry["language"], tuple(entry["driver"])) for entry in _read(LANGUAGES)]


def read_scenario(path: Path, languages: list[Language]) -> Scenario:
    """A scenario; what its file has that the protocol has not is an error that names the place."""
    scenario = Scenario()
    try:
        json_format.ParseDict(_read(path), scenario)
        _check(path, scenario, {language.name for language in languages})
    except (json_format.ParseError, ValueError, TypeError, AttributeError) as error:
        raise SetupError(f"{path}: {error}") from error
    return scenario


def read_scenarios(languages: list[Language]) -> list[Scenario]:
    """All scenarios, in the order of their names."""
    paths = sorted(path for path in HERE.glob("*.yaml") if path != LANGUAGES)
    return [read_scenario(path, languages) for path in paths]


def _check(path: Path, scenario: Scenario, languages: set[str]) -> None:
    if scenario.name != path.stem:
        raise ValueError(f'"name" is {scenario.name!r}, but the file is {path.stem!r}')
    if not scenario.why:
        raise ValueError('"why" is missing')
    for known in scenario.known_failures:
        if known.language not in languages or not known.reason or not known.told:
            raise ValueError(f"known failure of {known.language!r}: no such language, no reason, or nothing told")
    for number, step in enumerate(scenario.steps):
        kind = step.WhichOneof("step")
        place = f"Scenario.steps[{number}]"
        if kind is None:
            raise ValueError(f'{place} says nothing to do, only "background"')
        if kind in ("call", "iterate"):
            method = step.call.method if kind == "call" else step.iterate.method
            try:
                method_of(method)
            except KeyError as error:
                raise ValueError(f"{place}: {error}") from error
