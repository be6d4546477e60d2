"""Fixtures that several modules share; each module has processes of its own."""

from collections.abc import Iterator, Mapping

import pytest

from processes import running_dev, running_redis


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """`chatbridge dev` with a Redis; its addresses by name."""
    with (
        running_redis(tmp_path_factory.mktemp("redis")) as redis_url,
        running_dev(tmp_path_factory.mktemp("dev"), redis_url) as addresses,
    ):
        yield addresses


@pytest.fixture(scope="module")
def dev_in_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """`chatbridge dev` without a Redis; its addresses by name."""
    with running_dev(tmp_path_factory.mktemp("dev")) as addresses:
        yield addresses
