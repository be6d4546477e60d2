"""Tests of the ports that programs are given."""

from __future__ import annotations

import socket

import pytest

from runner import process
from runner.failure import SetupError
from runner.process import free_port, listen, port_of


def test_a_port_is_given_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = free_port()
    monkeypatch.setattr(process, "_PORTS", range(first, first + 1))
    with pytest.raises(SetupError, match="no port of loopback is free"):
        free_port()


def test_a_port_that_a_later_program_listens_on_is_taken_from_the_start() -> None:
    with listen() as origin:
        with socket.create_connection(("127.0.0.1", port_of(origin))) as early:
            early.sendall(b"before anybody accepts")
            accepted, _ = origin.accept()
            with accepted:
                assert accepted.recv(64) == b"before anybody accepts"
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port_of(origin)))
