"""What goes wrong in a scenario."""

from __future__ import annotations


class StepError(Exception):
    """A step did not do what was expected: what was expected and what came, for people."""


class UnsupportedError(StepError):
    """The library has no such thing, as its driver says."""


class SetupError(Exception):
    """The run itself cannot go on: what is missing, and what to do."""
