"""Both clients have all that the contract has."""

import inspect
import re

import pytest

import chatbridge
import chatbridge.sync
from chatbridge.contract import all_rpcs

NAMES = sorted(re.sub(r"(?<!^)(?=[A-Z])", "_", rpc.path.rpartition("/")[2]).lower() for rpc in all_rpcs())


@pytest.mark.parametrize("client", [chatbridge.Chatbridge, chatbridge.sync.Chatbridge])
def test_each_rpc_is_a_method_and_each_list_can_be_iterated(client: type) -> None:
    assert len(NAMES) > 40
    wanted = {*NAMES, *(name.replace("list_", "iterate_", 1) for name in NAMES if name.startswith("list_"))}
    assert wanted - set(dir(client)) == set()


def test_both_clients_have_the_same_methods_with_the_same_arguments() -> None:
    found = {}
    for client in (chatbridge.Chatbridge, chatbridge.sync.Chatbridge):
        methods = inspect.getmembers(client, inspect.isfunction)
        found[client] = {
            name: list(inspect.signature(method).parameters) for name, method in methods if not name.startswith("_")
        }
    assert found[chatbridge.Chatbridge] == found[chatbridge.sync.Chatbridge]


def test_each_call_takes_a_tenant_and_a_timeout() -> None:
    for name in NAMES:
        if name != "agent_events":
            parameters = inspect.signature(getattr(chatbridge.Chatbridge, name)).parameters
            assert {"tenant", "timeout"} <= set(parameters), name
