"""What came on a stream, and whether it is what should have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from chatbridge.v1 import AgentEvent, AgentEventsResponse, EndingReason, EventKind, GapReason, ReconnectAdvice
from google.protobuf.message import Message

from runner.contract import plain
from runner.expect import captured, check_error, differences, shown
from runner.failure import StepError
from stubs.driver_pb2 import Taken
from stubs.scenario_pb2 import Events, ExpectTaken, Numbered

_SHOWN_MAX = 5


@dataclass
class Heard:
    """The responses of a stream since it was opened, and how it stands."""

    responses: list[AgentEventsResponse] = field(default_factory=list)
    last: Taken = field(default_factory=Taken)

    def add(self, taken: Taken) -> list[AgentEventsResponse]:
        """Adds what was taken."""
        new = [AgentEventsResponse.FromString(response) for response in taken.responses]
        self.responses += new
        self.last = taken
        return new


@dataclass
class _Judged:
    """The events of a conversation, as they count."""

    events: list[AgentEvent] = field(default_factory=list)
    again: int = 0


def numbered_texts(numbered: Numbered) -> list[str]:
    """The texts that numbers stand for."""
    return [f"{numbered.prefix} {number}" for number in range(numbered.first or 1, numbered.last + 1)]


def wanted_texts(texts: Sequence[str], numbered: Numbered | None) -> list[str]:
    """The texts that a scenario names, one by one or by number."""
    return [*texts, *(numbered_texts(numbered) if numbered is not None else [])]


def payload_of(response: AgentEventsResponse) -> str:
    """Name of a response's payload."""
    return response.WhichOneof("payload") or "nothing"


def text_of(event: AgentEvent) -> str:
    """The text of a message as a scenario names it: long ones are filled up behind a line break."""
    return event.message.text.partition("\n")[0]


def missing(wanted: Events, heard: Sequence[Heard]) -> int:
    """How many texts have not come yet."""
    texts = wanted_texts(wanted.texts, wanted.numbered if wanted.HasField("numbered") else None)
    left = {(conversation, text) for conversation in wanted.conversations for text in texts}
    for stream in heard:
        for response in stream.responses:
            left.discard((response.event.conversation_id, text_of(response.event)))
    return len(left)


def check_events(wanted: Events, heard: Sequence[Heard]) -> int:
    """Raises what is wrong with the events of conversations; otherwise how many came again."""
    texts = wanted_texts(wanted.texts, wanted.numbered if wanted.HasField("numbered") else None)
    again = 0
    for conversation in wanted.conversations:
        alone = len(heard) == 1
        judged = _judge(conversation, heard[0].responses) if alone else _judge_together(conversation, heard)
        again += judged.again
        if wanted.whole:
            _check_whole(conversation, judged.events)
        came = [text_of(event) for event in judged.events if event.HasField("message")]
        _check_texts(conversation, texts, came)
    if again > wanted.again_at_most:
        raise StepError(f"{again} events came again, expected at most {wanted.again_at_most}")
    return again


def check_taken(
    expect: ExpectTaken, new: Sequence[AgentEventsResponse], stream: Heard, counted: str
) -> dict[str, object]:
    """Raises what is wrong with what was taken; otherwise the variables that it gives."""
    taken = stream.last
    if taken.HasField("error"):
        check_error(expect.error if expect.HasField("error") else None, taken.error)
    elif expect.HasField("error"):
        raise StepError(f"expected {shown(plain(expect.error))}, but nothing was raised; got {summary(new)}")
    elif taken.ended != expect.ended:
        raise StepError(f"the iteration {'ended' if taken.ended else 'did not end'}; got {summary(new)}")
    payloads = [payload_of(response) for response in new]
    if expect.payloads and payloads != list(expect.payloads):
        raise StepError(f"got {payloads}, expected {list(expect.payloads)}")
    for name in expect.present:
        if name not in payloads:
            raise StepError(f"there is no {name}; got {summary(new)}")
    for name in expect.absent:
        if name in payloads:
            raise StepError(f"there is {name}, which should not be; got {summary(new)}")
    _check_ending(expect, new)
    if expect.kinds:
        kinds = {EventKind.Name(response.event.kind) for response in new if response.HasField("event")}
        if kinds != set(expect.kinds):
            raise StepError(f"the kinds are {sorted(kinds)}, expected {sorted(expect.kinds)}")
    others = {response.event.conversation_id for response in new if response.HasField("event")}
    if expect.conversations and others - set(expect.conversations):
        raise StepError(f"there are events of {sorted(others - set(expect.conversations))}; got {summary(new)}")
    of_interest = [response for response in new if not counted or payload_of(response) == counted]
    if expect.HasField("last"):
        last = plain(of_interest[-1]) if of_interest else {}
        problems = list(differences(plain(expect.last), last))
        if problems:
            raise StepError(f"{'; '.join(problems)}; got {shown(last)}")
    if not expect.capture:
        return {}
    if not of_interest:
        raise StepError("nothing was taken from which something could be kept")
    return captured(dict(expect.capture), plain(of_interest[-1]))


def summary(responses: Sequence[AgentEventsResponse]) -> str:
    """What was taken, for people."""
    parts: list[str] = []
    for response in responses:
        name = payload_of(response)
        if name == "event":
            event = response.event
            name = f"{EventKind.Name(event.kind).removeprefix('EVENT_KIND_')} {event.sequence}"
            if event.HasField("message"):
                name += f" {text_of(event)[:40]!r}"
        elif name in ("ending", "gap"):
            name = f"{name} {shown(plain(_payload(response)))}"
        parts.append(name)
    if len(parts) > 40:
        parts = [*parts[:20], f"… {len(parts) - 40} more …", *parts[-20:]]
    return f"{len(responses)} responses: {', '.join(parts)}" if parts else "no response"


def _payload(response: AgentEventsResponse) -> Message:
    return response.ending if response.HasField("ending") else response.gap


def _check_ending(expect: ExpectTaken, new: Iterable[AgentEventsResponse]) -> None:
    new = list(new)
    if expect.HasField("ending"):
        endings = [response.ending for response in new if response.HasField("ending")]
        wanted = (expect.ending.reason, expect.ending.reconnect)
        got = [(EndingReason.Name(e.reason), ReconnectAdvice.Name(e.reconnect)) for e in endings]
        if wanted not in got:
            raise StepError(f"the endings are {got}, expected {wanted}; got {summary(new)}")
    if expect.gap:
        gaps = [GapReason.Name(response.gap.reason) for response in new if response.HasField("gap")]
        if expect.gap not in gaps:
            raise StepError(f"the gaps are {gaps}, expected {expect.gap}; got {summary(new)}")


def _judge(conversation: str, responses: Iterable[AgentEventsResponse]) -> _Judged:
    judged = _Judged()
    seen: dict[tuple[int, int], str] = {}
    highest = (0, 0)
    for response in responses:
        event = response.event
        if not response.HasField("event") or event.conversation_id != conversation:
            continue
        place = (event.session_epoch, event.sequence)
        if place in seen:
            if seen[place] != event.event_id:
                raise StepError(f"two events of {conversation} have the sequence {event.sequence}")
            judged.again += 1
        elif place[0] == highest[0] and place < highest:
            raise StepError(f"{conversation}: event {event.sequence} came behind event {highest[1]}")
        else:
            seen[place] = event.event_id
            highest = place
            judged.events.append(event)
    return judged


def _judge_together(conversation: str, heard: Sequence[Heard]) -> _Judged:
    """Of several streams, each in order for itself."""
    together = _Judged()
    events: dict[tuple[int, int], AgentEvent] = {}
    for stream in heard:
        alone = _judge(conversation, stream.responses)
        together.again += alone.again
        for event in alone.events:
            place = (event.session_epoch, event.sequence)
            together.again += place in events
            events[place] = event
    together.events = [events[place] for place in sorted(events)]
    return together


def _check_whole(conversation: str, events: Sequence[AgentEvent]) -> None:
    sequences = [event.sequence for event in events]
    if sequences == list(range(1, len(sequences) + 1)):
        return
    holes = [n for n in range(1, max(sequences, default=0) + 1) if n not in set(sequences)]
    raise StepError(
        f"the events of {conversation} are not whole: missing are {holes[:_SHOWN_MAX]} of {len(sequences)}"
    )


def _check_texts(conversation: str, wanted: Sequence[str], came: Sequence[str]) -> None:
    place = {text: number for number, text in enumerate(wanted)}
    relevant = [text for text in came if text in place]
    if relevant == list(wanted):
        return
    lacking = [text for text in wanted if text not in set(relevant)]
    twice = sorted({text for text in relevant if relevant.count(text) > 1}) if len(relevant) > len(wanted) else []
    if lacking:
        raise StepError(f"{conversation} lacks {len(lacking)} of {len(wanted)} texts: {lacking[:_SHOWN_MAX]}")
    if twice:
        raise StepError(f"texts of {conversation} came twice as different events: {twice[:_SHOWN_MAX]}")
    wrong = next(text for text, other in zip(relevant, wanted, strict=False) if text != other)
    raise StepError(f"{wrong!r} of {conversation} came out of order")
