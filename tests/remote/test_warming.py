"""Short lists are fetched before a message needs them: those of which the rules speak, and no others."""

from pathlib import Path
from typing import Any

import pytest

from bridge.errors import RemoteUnavailableError
from bridge.model import Entity, EntityState, JsonObject, Reach, Want
from bridge.remote.looking_up import LookUp
from bridge.remote.warming import Warmer
from tests.support.clock import ManualClock
from tests.support.shop import load_rules

RULES = """\
version: 1
sources:
  crm: {type: rdstation_crm, api: {token: t0ken}}
targets:
  team: {type: log}
routes:
  - name: forgotten
    on: crm_task_updated
    deliver: [{to: team, text: "TEXT"}]
"""
OWNERS = Want(Reach("crm", Entity("task", "t1"), "owners"), "user", ("u1",), "owner_ids", many=True)


class Api:
    """An API with one user, that notes which lists were asked for, and answers nothing else."""

    patience = 1.0
    names = ("crm",)

    def __init__(self) -> None:
        self.listings: list[str] = []
        self.down = False

    def get(self, name: str) -> "Api":
        assert name == "crm"
        return self

    async def listed(self, kind: str) -> list[JsonObject]:
        if self.down:
            raise RemoteUnavailableError("the CRM cannot answer now")
        self.listings.append(kind)
        return [{"id": "u1", "name": "Ana"}]


@pytest.fixture
def api() -> Api:
    return Api()


def made(api: Any, folder: Path, text: str) -> tuple[Warmer, LookUp]:
    clock = ManualClock()
    rules = load_rules(folder, clock, RULES.replace("TEXT", text))

    async def never_seen(_: str, __: Entity) -> EntityState | None:
        return None

    look_up = LookUp(lambda: rules.sources, api.get, never_seen, clock)
    return Warmer(look_up, api, lambda: rules), look_up


async def test_the_people_of_whom_rules_speak_are_known_before_a_message_needs_them(api: Api, tmp_path: Path) -> None:
    warmer, look_up = made(api, tmp_path, "{{ task.owners | map(attribute='name') | join(', ') }}")
    assert await warmer.step()
    assert api.listings == ["user"]
    found: Any = await look_up.find([OWNERS])
    assert [each["name"] for each in found[OWNERS.reach]] == ["Ana"]


async def test_what_rules_do_not_speak_of_is_not_fetched(api: Api, tmp_path: Path) -> None:
    warmer, _ = made(api, tmp_path, "{{ task.name }}")
    assert await warmer.step()
    assert api.listings == []


async def test_an_api_that_is_down_is_to_be_asked_again(api: Api, tmp_path: Path) -> None:
    warmer, _ = made(api, tmp_path, "{{ task.owners | length }}")
    api.down = True
    assert not await warmer.step()
