"""A real Prometheus scrapes a real service under load: every rule evaluates, and every panel shows something."""

import asyncio
import json
import math
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from chat_v2_client import ChatApiError
from chatbridge import Chatbridge, ChatbridgeError
from test_metrics import Served, contact, left_alone, running_two_replicas

from prometheus import Prometheus, running_prometheus

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "helm/chatbridge/files/alerts.yaml"
DASHBOARD = ROOT / "helm/chatbridge/files/dashboard.json"
WAIT_S = 120.0
CLIENTS = 3
# Labels of these have values that are known once they occur, so a selector may well find nothing.
OPEN = ("http_client_", "rpc_server_", "chatbridge_upstream_")


def panels() -> list[tuple[str, str]]:
    """The queries of the dashboard, as Grafana would ask them of a short time; and the panels that they are of."""
    dashboard = json.loads(DASHBOARD.read_text())
    return [
        (panel["title"], target["expr"].replace("$__rate_interval", "15s").replace("$job", ".*"))
        for panel in dashboard["panels"]
        for target in panel.get("targets", [])
    ]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Two replicas, which soon try a vendor again that they left alone."""
    with running_two_replicas(tmp_path_factory, {"CHATBRIDGE_GATEWAY_CIRCUIT_OPEN_MS": "500"}) as served:
        yield served


@pytest.fixture(scope="module")
def prometheus(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that scrapes them."""
    targets = [served.dev["admin"], served.encrypted["admin"]]
    with running_prometheus(tmp_path_factory.mktemp("prometheus"), targets, RULES) as running:
        yield running


@asynccontextmanager
async def load(served: Served) -> AsyncIterator[None]:
    """Contacts, one after the other, for as long as it takes; before them a vendor that fails."""
    async with Chatbridge(served.dev["grpc"]) as chatbridge:
        await left_alone(chatbridge, served.dev)

        async def work() -> None:
            while True:
                # The vendor is left alone for a moment yet.
                with suppress(ChatbridgeError):
                    await contact(chatbridge)
                await asyncio.sleep(0.1)

        async def old_client() -> None:
            while True:
                with suppress(ChatApiError, TimeoutError):
                    await asyncio.to_thread(served.old_client.contact)
                await asyncio.sleep(1)

        workers = [asyncio.create_task(work()) for _ in range(CLIENTS)] + [asyncio.create_task(old_client())]
        try:
            yield
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)


def shows(prometheus: Prometheus, query: str) -> bool:
    """Whether there is a number to draw."""
    return any(not math.isnan(float(sample["value"][1])) for sample in prometheus.query(query))


async def test_every_panel_shows_something(served: Served, prometheus: Prometheus) -> None:
    missing = panels()
    assert len(missing) > 40
    deadline_s = asyncio.get_running_loop().time() + WAIT_S
    async with load(served):
        while missing and asyncio.get_running_loop().time() < deadline_s:
            await asyncio.sleep(1)
            missing = [
                (title, query) for title, query in missing if not await asyncio.to_thread(shows, prometheus, query)
            ]
    assert missing == []


def test_every_rule_evaluates(prometheus: Prometheus) -> None:
    rules = prometheus.rules()
    assert len(rules) > 30
    assert [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"] == []


def test_what_alerts_select_is_there(prometheus: Prometheus) -> None:
    selectors = {
        selector
        for rule in prometheus.rules()
        for selector in re.findall(r"(?<![:\w])(?:chatbridge|process|db|rpc|http)_\w+(?:\{[^}]*\})?", rule["query"])
        if not selector.startswith(OPEN)
    }
    assert len(selectors) > 20
    assert [selector for selector in selectors if not prometheus.query(selector)] == []
