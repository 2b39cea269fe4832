"""The suite that every engine of the store must pass.

An engine's test module makes a subclass of ``StoreContract`` and provides the fixture ``store``, on the fixture
``clock``, a ``ManualClock``.
"""

import pytest

from tests.contracts.store_deliveries import DeliveryContract
from tests.contracts.store_digests import DigestContract
from tests.contracts.store_events import EventContract
from tests.contracts.store_people import PeopleContract
from tests.contracts.store_pruning import PruningContract
from tests.contracts.store_targets import TargetContract
from tests.contracts.store_waiting import WaitingContract
from tests.support.clock import ManualClock


class StoreContract(
    EventContract,
    DeliveryContract,
    TargetContract,
    PeopleContract,
    PruningContract,
    DigestContract,
    WaitingContract,
):
    """Every promise of ``bridge.store.base``."""

    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()
