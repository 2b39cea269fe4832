"""The SQLite engine beside the model of deliveries."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, settings

from bridge.store.base import Store
from bridge.store.sqlite import open_store
from tests.contracts.store_machine import DeliveryMachine


class SqliteMachine(DeliveryMachine):
    """Each run has a file of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = TemporaryDirectory()

    async def open(self) -> Store:
        return await open_store(Path(self.directory.name), self.clock)

    def teardown(self) -> None:
        super().teardown()
        self.directory.cleanup()


SqliteMachine.TestCase.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

TestDeliveries = SqliteMachine.TestCase
