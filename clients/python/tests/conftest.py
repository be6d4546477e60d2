"""Fixtures of the client's tests."""

from collections.abc import AsyncIterator

import pytest
from fake import Fake, serve

from chatbridge import Backoff, Chatbridge


@pytest.fixture
async def fake() -> AsyncIterator[Fake]:
    fake = Fake()
    async with serve(fake):
        yield fake


@pytest.fixture
async def chatbridge(fake: Fake) -> AsyncIterator[Chatbridge]:
    # Real waits, made short; the default ones are tested as numbers.
    backoff = Backoff(initial_s=0.01, maximum_s=0.02)
    async with Chatbridge(fake.target, tenant="t1", backoff=backoff) as chatbridge:
        yield chatbridge
