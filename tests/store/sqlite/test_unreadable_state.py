"""A last state that is damaged is as if it had never been seen, and stops nothing."""

from pathlib import Path

import apsw
import pytest
from structlog.testing import capture_logs

from bridge.model import Entity, EntityState, EventState, RoutedEvent
from bridge.store.base import Store
from tests.contracts.store_steps import DEAL, a_state, an_event, decided
from tests.support.clock import ManualClock

OTHER = Entity("deal", "77")


def damage(data: Path, document: str | bytes) -> None:
    connection = apsw.Connection(str(data / "bridge.db"))
    connection.execute(
        "UPDATE entity_state SET document = CAST(? AS TEXT) WHERE id = ?", (document, DEAL.id)
    ).fetchall()
    connection.close()


@pytest.mark.parametrize("document", ["", "{", '{"a": ', "[]", "null", "\x00", b"\xff"])
async def test_routing_goes_on(store: Store, clock: ManualClock, tmp_path: Path, document: str | bytes) -> None:
    for entity in (DEAL, OTHER):
        event = an_event(clock, entity=entity)
        await store.add(event)
        state = EntityState("crm", entity, {"name": "Loja"}, 1, event.id)
        await decided(store, RoutedEvent(event.id, EventState.UNMATCHED, entity_state=state))
    damage(tmp_path / "data", document)
    arrived = [an_event(clock, entity=entity) for entity in (DEAL, OTHER)]
    for event in arrived:
        await store.add(event)
    seen: list[Entity] = []

    def plan(_: object, states: dict[tuple[str, Entity], EntityState]) -> list[RoutedEvent]:
        seen.extend(entity for _, entity in states)
        return [
            RoutedEvent(event.id, EventState.UNMATCHED, entity_state=a_state(event, version=2)) for event in arrived
        ]

    with capture_logs() as logs:
        assert await store.last_state("crm", DEAL) is None
        await store.route(10, plan)  # type: ignore[arg-type]  # any mapping
    assert seen == [OTHER]
    assert [log["entity"] for log in logs if log["event"] == "state unreadable"] == [str(DEAL)], "once"
    healed = await store.last_state("crm", DEAL)
    assert healed is not None
    assert healed.event_id == arrived[0].id
