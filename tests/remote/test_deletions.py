"""What is known and in no list: what is asked to find out whether it was deleted, and where nothing is said of it."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest

from bridge.component.remote import Remote, Urgency
from bridge.model import Entity, JsonObject
from bridge.remote.deletions import FEW, MANY, USUAL, Absence, Absent
from bridge.store.base import Store


class Known:
    """A store that knows so many deals."""

    def __init__(self, count: int) -> None:
        self.ids = [f"d{number:04}" for number in range(count)]

    async def living(self, source: str, kind: str) -> Sequence[str]:
        assert (source, kind) == ("crm", "deal")
        return self.ids


class Lists:
    """An API whose lists hold some deals, and which has ``hidden`` others; it counts what it is asked for."""

    def __init__(self, listed: Sequence[str], hidden: Sequence[str] = ()) -> None:
        self.listed = listed
        self.there = {*listed, *hidden}
        self.rows = 0
        self.asked: list[str] = []

    async def present(self, kind: str) -> AsyncIterator[str]:
        for id_ in self.listed:
            self.rows += 1
            yield id_

    async def document(self, entity: Entity, urgency: Urgency) -> JsonObject | None:
        assert urgency is Urgency.REPAIR
        self.asked.append(entity.id)
        return {"id": entity.id} if entity.id in self.there else None


async def absent(known: Known, api: Any, seen: Sequence[str] = (), *, thorough: bool = False) -> Absent:
    absence = Absence(cast("Store", known), "crm", cast("Remote", api), thorough=thorough)
    return await absence.among("deal", seen)


async def test_few_are_asked_for_by_themselves() -> None:
    known = Known(100)
    api = Lists(known.ids[:-2])
    assert await absent(known, api, known.ids[3:-2]) == Absent(tuple(known.ids[-2:]))
    assert (api.rows, api.asked) == (0, [*known.ids[:3], *known.ids[-2:]])


async def test_a_list_is_read_until_few_are_left() -> None:
    known = Known(100)
    api = Lists([*known.ids[3:], "unknown"])
    assert await absent(known, api) == Absent(tuple(known.ids[:3]))
    assert api.rows == 100 - FEW
    assert len(api.asked) == FEW, "those that the list would have held are there"


async def test_what_a_list_leaves_out_and_is_there_is_not_deleted() -> None:
    known = Known(100)
    api = Lists(known.ids[10:], hidden=known.ids[1:10])
    assert await absent(known, api) == Absent((known.ids[0],))
    assert api.asked == known.ids[:10]


@pytest.mark.parametrize(("gone", "sure"), [(USUAL, True), (USUAL + 1, False)])
async def test_of_more_than_is_usual_nothing_is_said_but_to_a_person(gone: int, *, sure: bool) -> None:
    known = Known(100)
    api = Lists(known.ids[gone:])
    ids = tuple(known.ids[:gone])
    assert await absent(known, api) == (Absent(ids) if sure else Absent(unsure=gone))
    assert await absent(known, api, thorough=True) == Absent(ids)


async def test_where_very_many_are_known_nothing_is_asked_but_for_a_person() -> None:
    known = Known(MANY + 1)
    api = Lists(known.ids[1:])
    assert await absent(known, api, known.ids[:-1]) == Absent(unsure=1)
    assert (api.rows, api.asked) == (0, [])
    assert await absent(known, api, thorough=True) == Absent((known.ids[0],))
