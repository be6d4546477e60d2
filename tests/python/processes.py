"""Starts the real programs for a test, on ports of their own, and ends them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

READY_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
# Whoever knows a free port beforehand can lose it to somebody else until it is bound.
PORT_ATTEMPTS = 5

_ROOT = Path(__file__).resolve().parents[2]


def binary() -> Path:
    """The program under test, which must have been built."""
    path = Path(os.environ.get("CHATBRIDGE_BIN", _ROOT / "target/debug/chatbridge"))
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: run cargo build first, or set CHATBRIDGE_BIN")
    return path


@contextmanager
def running_dev(
    directory: Path, redis_url: str = "", settings: Mapping[str, str] | None = None
) -> Iterator[Mapping[str, str]]:
    """`chatbridge dev` with an instant sandbox; its addresses by name: grpc, webhook, admin, sandbox."""
    listen = {f"CHATBRIDGE_{name}_LISTEN": "127.0.0.1:0" for name in ("GRPC", "WEBHOOK", "ADMIN", "SANDBOX")}
    redis = {"CHATBRIDGE_REDIS_URL": redis_url} if redis_url else {}
    with _running_chatbridge(directory, ["dev", "--pace", "0"], {**listen, **redis, **(settings or {})}) as addresses:
        yield addresses


@contextmanager
def running_replica(
    directory: Path, redis_url: str, sandbox: str, settings: Mapping[str, str] | None = None
) -> Iterator[Mapping[str, str]]:
    """`chatbridge serve` beside a `dev` with that Redis and sandbox; its addresses by name: grpc, webhook, admin."""
    listen = {f"CHATBRIDGE_{name}_LISTEN": "127.0.0.1:0" for name in ("GRPC", "WEBHOOK", "ADMIN")}
    vendor = {
        "CHATBRIDGE_GATEWAY_URL": f"http://{sandbox}",
        "CHATBRIDGE_TENANT": "sandbox",
        "CHATBRIDGE_API_KEY": "sandbox-key",
        "CHATBRIDGE_REDIS_URL": redis_url,
    }
    with _running_chatbridge(directory, ["serve"], {**listen, **vendor, **(settings or {})}) as addresses:
        yield addresses


@contextmanager
def running_sandbox(directory: Path, webhook_url: str) -> Iterator[Mapping[str, str]]:
    """`chatbridge sandbox`, instant, which delivers to `webhook_url`; its address by name: sandbox."""
    arguments = ["sandbox", "--listen", "127.0.0.1:0", "--webhook", webhook_url, "--pace", "0"]
    with _running_chatbridge(directory, arguments, {}) as addresses:
        yield addresses


@contextmanager
def running_serve(directory: Path, settings: str) -> Iterator[Mapping[str, str]]:
    """`chatbridge serve` with a file of settings; its addresses by name: grpc, webhook, admin, chat_v2."""
    file = directory / "settings.toml"
    file.write_text(settings)
    listen = {f"CHATBRIDGE_{name}_LISTEN": "127.0.0.1:0" for name in ("GRPC", "WEBHOOK", "ADMIN")}
    with _running_chatbridge(directory, ["serve", "--config", str(file)], listen) as addresses:
        yield addresses


@contextmanager
def running_redis(directory: Path) -> Iterator[str]:
    """A `redis-server` that keeps nothing; its URL."""
    for attempt in range(PORT_ATTEMPTS):
        port = _free_port()
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
        with _running([*command, "--dir", str(directory)], directory / f"redis-{attempt}.log", {}) as redis:
            if _answers_ping(redis, port):
                yield f"redis://127.0.0.1:{port}"
                return
    raise RuntimeError(f"redis-server did not start; its logs are in {directory}")


@contextmanager
def _running_chatbridge(
    directory: Path, arguments: Sequence[str], environment: Mapping[str, str]
) -> Iterator[Mapping[str, str]]:
    ready, log = directory / "ready.json", directory / "chatbridge.log"
    command = [str(binary()), *arguments, "--ready-file", str(ready)]
    with _running(command, log, environment) as process:
        if not _until(lambda: ready.exists() or process.poll() is not None) or not ready.exists():
            raise RuntimeError(f"`{' '.join(command)}` did not become ready:\n{log.read_text()[-4000:]}")
        yield json.loads(ready.read_text())


@contextmanager
def _running(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    # What the developer's own shell sets for Chatbridge must not reach a test.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CHATBRIDGE_")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**inherited, **environment},
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _until(condition: Callable[[], bool]) -> bool:
    """Waits for `condition`; whether it came to hold in time."""
    deadline_s = time.monotonic() + READY_TIMEOUT_S
    while not (result := condition()) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    return result


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _answers_ping(redis: subprocess.Popen[bytes], port: int) -> bool:
    def answers() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    # Where another server took the port, that one answers and ours has ended.
    return _until(lambda: redis.poll() is not None or answers()) and redis.poll() is None
