"""Whether an answer or an error is what a scenario expects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import grpc
from chatbridge.v1 import EndingReason
from google.protobuf.message import Message

from runner.contract import plain
from runner.failure import StepError
from stubs import driver_pb2
from stubs.scenario_pb2 import Expect, ExpectError

_MISSING = object()
_PART = re.compile(r"([^.\[\]]+)|\[(-?\d+)\]")
_TEXT_MAX = 1500


def check_answer(expect: Expect, answer: Message | dict[str, Any]) -> dict[str, Any]:
    """Raises what is wrong with an answer; otherwise the variables that it gives."""
    actual = plain(answer) if isinstance(answer, Message) else answer
    if expect.HasField("error"):
        raise StepError(f"expected {_one_line(expect.error)}, got the answer {shown(actual)}")
    problems = list(differences(plain(expect.response), actual))
    problems += [f"{path} is empty" for path in expect.present if _is_empty(lookup(actual, path))]
    for path in expect.absent:
        if not _is_empty(value := lookup(actual, path)):
            problems.append(f"{path} is {shown(value)}, expected nothing")
    for path, count in expect.counts.items():
        value = lookup(actual, path)
        items = value if isinstance(value, list) else []
        if len(items) != count:
            problems.append(f"{path} has {len(items)} items, expected {count}")
    if problems:
        raise StepError(f"{'; '.join(problems)}; got {shown(actual)}")
    return captured(dict(expect.capture), actual)


def captured(names: dict[str, str], actual: dict[str, Any]) -> dict[str, Any]:
    """The values of paths, by the variables that they are for."""
    found = {}
    for name, path in names.items():
        value = lookup(actual, path)
        if value is _MISSING:
            raise StepError(f"nothing is at {path}, which was to be kept as {name}; got {shown(actual)}")
        found[name] = value
    return found


def differences(expected: Any, actual: Any, place: str = "") -> Iterator[str]:
    """Where `actual` lacks something of `expected`, as sentences."""
    if isinstance(expected, dict):
        if not isinstance(actual, dict):
            yield f"{place or 'the answer'} is {shown(actual)}, expected {shown(expected)}"
            return
        for path, value in expected.items():
            yield from differences(value, lookup(actual, path), f"{place}.{path}" if place else path)
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            yield f"{place} has {len(actual)} items, expected {len(expected)}: {shown(actual)}"
            return
        for number, (one, other) in enumerate(zip(expected, actual, strict=True)):
            yield from differences(one, other, f"{place}[{number}]")
    elif not _same(expected, actual):
        yield f"{place} is {shown(actual)}, expected {shown(expected)}"


def lookup(value: Any, path: str) -> Any:
    """What is at a path such as `files[0].error_reason`."""
    for name, number in _PART.findall(path):
        if name:
            value = value.get(name, _MISSING) if isinstance(value, dict) else _MISSING
        else:
            there = isinstance(value, list) and -len(value) <= int(number) < len(value)
            value = value[int(number)] if there else _MISSING
    return value


def check_error(expect: ExpectError | None, error: driver_pb2.Error) -> None:
    """Raises what is wrong with an error; without `expect`, that there is one."""
    if expect is None:
        raise StepError(f"expected no error, got {error_text(error)}")
    problems = []
    code = _code_name(error.code)
    if expect.code and code != expect.code:
        problems.append(f"the code is {code}, expected {expect.code}")
    reason = "" if expect.reason == "-" else expect.reason
    if expect.reason and error.reason != reason:
        problems.append(f"the reason is {error.reason or 'empty'}, expected {reason or 'none'}")
    fields = sorted(violation.field for violation in error.field_violations)
    if expect.fields and fields != sorted(expect.fields):
        problems.append(f"the wrong fields are {fields}, expected {sorted(expect.fields)}")
    if any(not violation.description for violation in error.field_violations):
        problems.append("a field violation has no description")
    if expect.HasField("retry_after") and error.HasField("retry_after") != expect.retry_after:
        problems.append(f"retry_after is {'there' if error.HasField('retry_after') else 'missing'}")
    if expect.HasField("reference_id") and bool(error.reference_id) != expect.reference_id:
        problems.append(f"the reference id is {error.reference_id or 'missing'}")
    if expect.HasField("outcome_unknown") and error.outcome_unknown != expect.outcome_unknown:
        problems.append(f"outcome_unknown is {str(error.outcome_unknown).lower()}")
    # Absent means that the stream was not ended for good: an error of that type would be another one than expected.
    if error.ending_reason != expect.ending_reason:
        problems.append(
            f"ending_reason is {error.ending_reason or 'empty'}, expected {expect.ending_reason or 'none'}"
        )
    if error.ending_reason and error.ending_reason not in dict(EndingReason.items()):
        problems.append(f"{error.ending_reason} is no EndingReason")
    if not error.message:
        problems.append("it has no message")
    if problems:
        raise StepError(f"{'; '.join(problems)}; got {error_text(error)}")


def error_text(error: driver_pb2.Error) -> str:
    """An error on one line."""
    parts = [f"{_code_name(error.code)} ({error.reason or 'no reason'}): {error.message}"]
    if error.field_violations:
        parts.append("fields: " + ", ".join(violation.field for violation in error.field_violations))
    if error.HasField("retry_after"):
        parts.append(f"retry after {error.retry_after.ToTimedelta().total_seconds():g} s")
    if error.ending_reason:
        parts.append(error.ending_reason)
    if error.outcome_unknown:
        parts.append("outcome unknown")
    return "; ".join(parts)


def shown(value: Any) -> str:
    """A value for people, cut where it is long."""
    if value is _MISSING:
        return "missing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _TEXT_MAX else f"{text[:_TEXT_MAX]}… ({len(text)} characters)"


def _code_name(number: int) -> str:
    for code in grpc.StatusCode:
        if code.value[0] == number:
            return code.name
    return f"code {number}"


def _is_empty(value: Any) -> bool:
    return value is _MISSING or value in ("", "0", 0, False, None) or value == [] or value == {}


def _same(expected: Any, actual: Any) -> bool:
    if actual is _MISSING:
        # JSON leaves out what has its default.
        return _is_empty(expected)
    if isinstance(expected, str) and expected.startswith("~"):
        return isinstance(actual, str) and re.fullmatch(expected[1:], actual) is not None
    if isinstance(expected, (int, float)) and not isinstance(expected, bool) and isinstance(actual, str):
        # 64 bits are texts in JSON.
        try:
            return float(actual) == expected
        except ValueError:
            return False
    return bool(expected == actual)


def _one_line(message: Message) -> str:
    return shown(plain(message))
