"""What is judged of answers and errors."""

from __future__ import annotations

import pytest
from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration

from runner.expect import check_answer, check_error
from runner.failure import StepError
from runner.variables import substituted
from stubs import driver_pb2
from stubs.scenario_pb2 import Expect, ExpectError

ANSWER = {"messages": [{"text": "one", "size": "5"}, {"text": "two"}], "token": ""}


def expect(**fields: object) -> Expect:
    return json_format.ParseDict(fields, Expect())


def test_a_part_and_paths_into_it_match() -> None:
    wanted = expect(
        response={"messages[1].text": "two", "messages[0]": {"size": 5}, "token": "", "other": ""},
        present=["messages[0].text"],
        absent=["token", "missing.deeper"],
        counts={"messages": 2},
        capture={"last": "messages[-1].text"},
    )
    assert check_answer(wanted, ANSWER) == {"last": "two"}


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"response": {"messages[0].text": "two"}}, 'messages\\[0\\].text is "one", expected "two"'),
        ({"response": {"messages": [{"text": "one"}]}}, "messages has 2 items, expected 1"),
        ({"response": {"messages[0].text": "~[xyz]+"}}, "expected"),
        ({"present": ["token"]}, "token is empty"),
        ({"absent": ["messages"]}, "expected nothing"),
        ({"counts": {"messages": 3}}, "2 items, expected 3"),
        ({"capture": {"it": "nowhere"}}, "nothing is at nowhere"),
        ({"error": {"code": "NOT_FOUND"}}, "got the answer"),
    ],
)
def test_what_differs_is_told(fields: dict[str, object], problem: str) -> None:
    with pytest.raises(StepError, match=problem):
        check_answer(expect(**fields), ANSWER)


ERROR = driver_pb2.Error(
    code=5,
    reason="UPSTREAM_NOT_FOUND",
    message="no such thing",
    field_violations=[driver_pb2.FieldViolation(field="a.b", description="wrong")],
    retry_after=Duration(seconds=1),
    reference_id="7",
)


def test_an_error_matches() -> None:
    wanted = ExpectError(code="NOT_FOUND", reason="UPSTREAM_NOT_FOUND", fields=["a.b"], retry_after=True)
    check_error(wanted, ERROR)


@pytest.mark.parametrize(
    "wanted",
    [
        None,
        ExpectError(code="ABORTED"),
        ExpectError(reason="-"),
        ExpectError(reason="OTHER"),
        ExpectError(fields=["a"]),
        ExpectError(retry_after=False),
        ExpectError(reference_id=False),
        ExpectError(outcome_unknown=True),
        ExpectError(ending_reason="ENDING_REASON_TAKEN_OVER"),
    ],
)
def test_another_error_is_told(wanted: ExpectError | None) -> None:
    with pytest.raises(StepError):
        check_error(wanted, ERROR)


def test_variables_are_put_in() -> None:
    variables = {"a": "x", "all": ["x", "y"]}
    assert substituted({"k": ["${all}", "z"], "t": "<${a}>"}, variables) == {"k": ["x", "y", "z"], "t": "<x>"}
    with pytest.raises(StepError, match="variable"):
        substituted("${none}", variables)
