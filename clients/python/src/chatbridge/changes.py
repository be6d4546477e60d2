"""Which conversations a changeable stream has, over breaks."""

from __future__ import annotations

from dataclasses import dataclass

from chatbridge.v1 import AgentEventsRequest, ChangeAgentEventsRequest


@dataclass(eq=False)
class Change:
    """A change that the service accepted, and the stream has not told of yet."""

    request: ChangeAgentEventsRequest
    revision: int | None
    """Its number on this connection; None: it was accepted on one that is over, and is to be made anew."""


class Changes:
    """The changes of a stream: what it told of is in its request, the others are kept until it does."""

    def __init__(self, request: AgentEventsRequest) -> None:
        """Changes go into `request`, which is what the stream is opened with after a break."""
        self._request = request
        self._untold: list[Change] = []
        self._told = 0
        self.stream_id = ""
        """What the service calls the stream; empty: it is not connected."""

    @property
    def to_redo(self) -> Change | None:
        """The first change that is to be made anew; None: there is none, or the stream is not connected."""
        if not self.stream_id:
            return None
        return next((change for change in self._untold if change.revision is None), None)

    def named(self, stream_id: str) -> None:
        """A connection has begun, and the stream has its request's conversations."""
        self.stream_id = stream_id
        self._told = 0

    def broke(self) -> None:
        """The connection is over: nobody can change the stream until it has another."""
        self.stream_id = ""
        for change in self._untold:
            change.revision = None

    def told(self, revision: int) -> None:
        """The stream told that changes up to `revision` hold."""
        self._told = revision
        for change in list(self._untold):
            if change.revision is not None and change.revision <= revision:
                self._settle(change)

    def accepted(self, request: ChangeAgentEventsRequest, revision: int) -> None:
        """The service took a new change, which the stream may have told of before the call was answered."""
        change = Change(request, None)
        self._untold.append(change)
        self.redone(change, request.stream_id, revision)

    def redone(self, change: Change, stream_id: str, revision: int) -> None:
        """The service took a change for a stream, which may be over by now."""
        if stream_id != self.stream_id:
            return
        change.revision = revision
        if revision <= self._told:
            self._settle(change)

    def _settle(self, change: Change) -> None:
        self._untold.remove(change)
        gone = set(change.request.remove_conversation_ids)
        have = [name for name in self._request.conversation_ids if name not in gone]
        new = [name for name in change.request.add_conversation_ids if name not in have]
        del self._request.conversation_ids[:]
        self._request.conversation_ids.extend([*have, *new])
