"""What is looked up for messages: where, how often, how long they wait, and what they go without."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from bridge.component.remote import Remote, Urgency
from bridge.errors import RemoteGarbledError, RemoteInvalidError, RemoteRefusedError, RemoteUnavailableError
from bridge.model import Entity, EntityState, JsonObject, Reach, Want
from bridge.remote.looking_up import LookUp
from tests.support.changes import crm
from tests.support.clock import ManualClock

TASK = Entity("task", "t1")
DEAL = Want(Reach("crm", TASK, "deal"), "deal", ("d1",), "deal_id")
OWNERS = Want(Reach("crm", TASK, "owners"), "user", ("u1", "u2"), "owner_ids", many=True)
CONTACTS = Want(Reach("crm", Entity("deal", "d1"), "contacts"), "contact", (), "contact_ids", many=True)
ORGANIZATION = Want(Reach("crm", Entity("deal", "d1"), "organization"), "organization", (), "organization_id")


class Api:
    """An API that knows a few entities, and counts what it is asked."""

    patience = 0.2

    def __init__(self) -> None:
        self.known: dict[Entity, JsonObject] = {}
        self.contacts: list[JsonObject] = []
        self.asked: list[str] = []
        self.error: Exception | None = None
        self.gate: asyncio.Event | None = None

    async def document(self, entity: Entity, urgency: Urgency) -> JsonObject | None:
        assert urgency is Urgency.MESSAGE
        self.asked.append(str(entity))
        await self._answer()
        return self.known.get(entity)

    async def related(self, entity: Entity, name: str, urgency: Urgency) -> Sequence[JsonObject]:
        assert urgency is Urgency.MESSAGE
        self.asked.append(f"{entity}/{name}")
        await self._answer()
        return self.contacts

    async def listed(self, kind: str) -> Sequence[JsonObject]:
        self.asked.append(kind)
        return [each for entity, each in self.known.items() if entity.kind == kind]

    async def _answer(self) -> None:
        if self.gate:
            await self.gate.wait()
        if self.error:
            raise self.error


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def states() -> dict[Entity, EntityState]:
    return {}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def look_up(api: Api | None, states: dict[Entity, EntityState], clock: ManualClock) -> LookUp:
    source: Any = crm()
    remote: Remote | None = api  # type: ignore[assignment]  # as much of one as is asked for here

    async def last_state(_: str, entity: Entity) -> EntityState | None:
        return states.get(entity)

    return LookUp(lambda: {"crm": source}, lambda _: remote, last_state, clock)


@pytest.fixture
def found(api: Api, states: dict[Entity, EntityState], clock: ManualClock) -> LookUp:
    return look_up(api, states, clock)


async def test_what_was_seen_is_not_asked_for(found: LookUp, api: Api, states: dict[Entity, EntityState]) -> None:
    deal = Entity("deal", "d1")
    states[deal] = EntityState("crm", deal, {"id": "d1", "name": "Loja"}, 1, "evt_1")
    assert await found.find([DEAL]) == {DEAL.reach: {"id": "d1", "name": "Loja"}}
    assert api.asked == []


async def test_what_was_not_seen_is_asked_for_once_and_comes_in_full_shape(found: LookUp, api: Api) -> None:
    api.known[Entity("deal", "d1")] = {"id": "d1", "name": "Loja"}
    for _ in range(2):
        told: Any = (await found.find([DEAL]))[DEAL.reach]
        assert (told["name"], told["user"]["name"]) == ("Loja", None)
    assert api.asked == ["deal:d1"]


async def test_many_who_want_the_same_ask_once(found: LookUp, api: Api) -> None:
    api.known[Entity("deal", "d1")] = {"id": "d1", "name": "Loja"}
    others = [
        Want(Reach("crm", Entity("task", f"t{number}"), "deal"), "deal", ("d1",), "deal_id") for number in range(9)
    ]
    assert len(await found.find(others)) == 9
    assert api.asked == ["deal:d1"]


async def test_of_many_those_that_are_there_are_told(found: LookUp, api: Api) -> None:
    api.known[Entity("user", "u2")] = {"id": "u2", "name": "Bia"}
    assert (await found.find([OWNERS]))[OWNERS.reach] == [{"id": "u2", "name": "Bia", "email": None}]


async def test_that_there_is_none_is_remembered_for_a_while(found: LookUp, api: Api, clock: ManualClock) -> None:
    assert await found.find([DEAL]) == {DEAL.reach: None}
    assert await found.find([DEAL]) == {DEAL.reach: None}
    assert api.asked == ["deal:d1"]
    clock.advance(seconds=301)
    await found.find([DEAL])
    assert api.asked == ["deal:d1", "deal:d1"]


async def test_contacts_come_whole(found: LookUp, api: Api) -> None:
    api.contacts = [{"id": "c1", "name": "Bia"}]
    told: Any = (await found.find([CONTACTS]))[CONTACTS.reach]
    assert [(each["name"], each["emails"]) for each in told] == [("Bia", [{"email": None}])] or told[0]["name"] == "Bia"
    await found.find([CONTACTS])
    assert api.asked == ["deal:d1/contacts"]


async def test_an_id_that_no_webhook_tells_is_read_from_the_whole_entity(found: LookUp, api: Api) -> None:
    api.known[Entity("deal", "d1")] = {"id": "d1", "organization_id": "o1"}
    api.known[Entity("organization", "o1")] = {"id": "o1", "name": "Loja Ltda"}
    told: Any = (await found.find([ORGANIZATION]))[ORGANIZATION.reach]
    assert told["name"] == "Loja Ltda"
    api.known[Entity("deal", "d2")] = {"id": "d2"}
    bare = Want(Reach("crm", Entity("deal", "d2"), "organization"), "organization", (), "organization_id")
    assert await found.find([bare]) == {bare.reach: None}


async def test_without_an_api_only_what_was_seen_is_known(
    states: dict[Entity, EntityState], clock: ManualClock
) -> None:
    assert await look_up(None, states, clock).find([DEAL, OWNERS]) == {}


@pytest.mark.parametrize("error", [RemoteUnavailableError("down"), RemoteRefusedError("revoked")], ids=repr)
async def test_an_api_that_fails_is_left_alone_for_a_while(
    found: LookUp, api: Api, clock: ManualClock, error: Exception
) -> None:
    api.error = error
    assert await found.find([DEAL]) == {}
    api.error = None
    assert await found.find([DEAL]) == {}
    assert api.asked == ["deal:d1"]
    clock.advance(seconds=31)
    assert await found.find([DEAL]) == {DEAL.reach: None}


@pytest.mark.parametrize(
    "error", [RemoteInvalidError("no such id"), RemoteGarbledError("no JSON", 200), KeyError("a defect")], ids=repr
)
async def test_what_the_api_cannot_say_of_one_entity_says_nothing_of_the_others(
    found: LookUp, api: Api, error: Exception
) -> None:
    api.error = error
    assert await found.find([DEAL]) == {}
    api.error = None
    api.known[Entity("user", "u1")] = {"id": "u1", "name": "Hian"}
    assert await found.find([OWNERS])
    assert await found.find([DEAL]) == {DEAL.reach: None}
    assert api.asked == ["deal:d1", "user:u1", "user:u2"]


async def test_a_message_waits_no_longer_than_it_may_and_what_comes_late_serves_the_next(
    found: LookUp, api: Api
) -> None:
    api.gate = asyncio.Event()
    api.known[Entity("deal", "d1")] = {"id": "d1", "name": "Loja"}
    assert await found.find([DEAL]) == {}
    api.gate.set()
    await asyncio.sleep(0.01)
    told: Any = (await found.find([DEAL]))[DEAL.reach]
    assert told["name"] == "Loja"
    assert api.asked == ["deal:d1"]


async def test_lists_that_were_fetched_before_leave_nothing_to_ask(found: LookUp, api: Api) -> None:
    api.known = {Entity("user", id_): {"id": id_, "name": id_.upper()} for id_ in ("u1", "u2")}
    await found.warm("crm", ["user"])
    told: Any = (await found.find([OWNERS]))[OWNERS.reach]
    assert [each["name"] for each in told] == ["U1", "U2"]
    assert api.asked == ["user"]


async def test_nothing_wanted_is_nothing_asked(
    found: LookUp, states: dict[Entity, EntityState], clock: ManualClock
) -> None:
    assert await found.find([]) == {}
    await look_up(None, states, clock).warm("crm", ["user"])
