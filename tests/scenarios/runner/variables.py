"""Variables in the texts of steps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.message import Message

from runner.contract import plain
from runner.failure import StepError

_VARIABLE = re.compile(r"\$\{([^}]*)\}")

_M = TypeVar("_M", bound=Message)


def filled_in(message: _M, variables: Mapping[str, Any]) -> _M:
    """A copy of `message` with the values of the variables that its texts name."""
    filled = substituted(plain(message), variables)
    return json_format.ParseDict(filled, type(message)())


def substituted(value: Any, variables: Mapping[str, Any]) -> Any:
    """A plain value with the values of the variables that its texts name."""
    if isinstance(value, dict):
        return {substituted(key, variables): substituted(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        items: list[Any] = []
        for item in value:
            new = substituted(item, variables)
            # A variable that is a list stands for its items.
            if isinstance(new, list) and isinstance(item, str):
                items += new
            else:
                items.append(new)
        return items
    if not isinstance(value, str):
        return value
    alone = _VARIABLE.fullmatch(value)
    if alone:
        return _value(alone[1], variables)
    return _VARIABLE.sub(lambda found: str(_value(found[1], variables)), value)


def _value(name: str, variables: Mapping[str, Any]) -> Any:
    whole, bracket, number = name.partition("[")
    if name in variables:
        return variables[name]
    if bracket and whole in variables:
        return variables[whole][int(number.rstrip("]"))]
    raise StepError(f"the scenario names the variable ${{{name}}}; there are: {', '.join(sorted(variables))}")
