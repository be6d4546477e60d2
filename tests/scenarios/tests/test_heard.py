"""What is judged of events: a judge that lets everything pass would make every scenario green."""

from __future__ import annotations

import pytest
from chatbridge.v1 import AgentEvent, AgentEventsResponse, MessageEvent

from runner.failure import StepError
from runner.heard import Heard, check_events, missing
from stubs.scenario_pb2 import Events, Numbered


def heard(*sequences: int, epoch: int = 1) -> Heard:
    """A stream on which the events with these sequences came; their texts are `word N`."""
    return Heard([_event(sequence, epoch) for sequence in sequences])


def words(last: int, **more: object) -> Events:
    return Events(conversations=["c"], numbered=Numbered(prefix="word", last=last), **more)  # type: ignore[arg-type]


def _event(sequence: int, epoch: int) -> AgentEventsResponse:
    event = AgentEvent(conversation_id="c", event_id=f"{epoch}-{sequence}", sequence=sequence, session_epoch=epoch)
    event.message.CopyFrom(MessageEvent(text=f"word {sequence}\nfilled up"))
    return AgentEventsResponse(event=event)


def test_each_once_and_in_order_is_right() -> None:
    assert check_events(words(3, whole=True), [heard(1, 2, 3)]) == 0


@pytest.mark.parametrize(
    ("sequences", "problem"),
    [
        ((1, 3), "lacks 1 of 3 texts: \\['word 2'\\]"),
        ((1, 3, 2), "event 2 came behind event 3"),
        ((1, 2, 2, 3), "1 events came again, expected at most 0"),
        ((), "lacks 3 of 3"),
    ],
)
def test_what_is_not_is_told(sequences: tuple[int, ...], problem: str) -> None:
    with pytest.raises(StepError, match=problem):
        check_events(words(3), [heard(*sequences)])


def test_what_came_again_counts_once_where_it_may_come_again() -> None:
    assert check_events(words(3, whole=True, again_at_most=2), [heard(1, 2, 1, 2, 3)]) == 2


def test_a_hole_is_told_where_the_whole_is_wanted() -> None:
    wanted = Events(conversations=["c"], texts=["word 1", "word 3"], whole=True)
    with pytest.raises(StepError, match="not whole: missing are \\[2\\]"):
        check_events(wanted, [heard(1, 3)])


def test_two_events_with_one_sequence_are_told() -> None:
    other = _event(2, 1)
    other.event.event_id = "another"
    stream = heard(1, 2)
    stream.responses.append(other)
    with pytest.raises(StepError, match="two events of c have the sequence 2"):
        check_events(words(2, again_at_most=5), [stream])


def test_the_same_text_as_another_event_is_told() -> None:
    twice = _event(4, 1)
    twice.event.message.text = "word 2"
    stream = heard(1, 2, 3)
    stream.responses.append(twice)
    with pytest.raises(StepError, match="came twice as different events: \\['word 2'\\]"):
        check_events(words(3), [stream])


def test_streams_have_each_once_together() -> None:
    assert check_events(words(4, whole=True), [heard(1, 3), heard(2, 4)]) == 0
    with pytest.raises(StepError, match="1 events came again"):
        check_events(words(4), [heard(1, 2, 3), heard(3, 4)])


def test_what_is_missing_is_counted_over_all_streams() -> None:
    assert missing(words(4), [heard(1), heard(3)]) == 2
