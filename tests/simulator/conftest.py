"""A simulated CRM whose time stands still, a client, and an address that webhooks are posted to."""

from collections.abc import AsyncIterator

import pytest

from bridge.simulator import Simulator
from tests.support.crm import CrmClient, simulated
from tests.support.sink import Sink


@pytest.fixture
async def crm() -> AsyncIterator[Simulator]:
    async with simulated() as running:
        yield running


@pytest.fixture
async def client(crm: Simulator) -> AsyncIterator[CrmClient]:
    async with CrmClient(crm.url) as asking:
        await asking.login()
        yield asking


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with Sink() as running:
        yield running
