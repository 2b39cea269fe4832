"""What a change's messages want of related entities, and what its document answers itself."""

from typing import Any

import pytest

from bridge.model import Entity, Reach, Want
from bridge.routing.reaching import wants_of
from bridge.routing.route import DeliverEntry, Listener, Route
from tests.support.changes import change_of, crm, webhook

DEAL, TASK = Entity("deal", "6650f1"), Entity("task", "6650f1")


class Nothing:
    def render(self, _: Any) -> Any:
        return {}


def route(*mentions: str) -> Route:
    entry = DeliverEntry("sales", Nothing(), mentions=frozenset(mentions))
    return Route("r", (Listener("x", frozenset({"x"})),), (entry,))


def wants(body: Any, *mentions: str) -> list[Want]:
    return list(wants_of(change_of([body]), crm(), [route(*mentions)]))


def test_only_what_a_rule_mentions_is_wanted() -> None:
    task = webhook("task", deal_id="d1", owner_ids=["u1", "u2"])
    assert wants(task, "name", "status") == []
    assert wants(task, "deal") == [Want(Reach("crm", TASK, "deal"), "deal", ("d1",), "deal_id")]
    assert [(want.ids, want.many) for want in wants(task, "owners")] == [(("u1", "u2"), True)]


@pytest.mark.parametrize("document", [{"deal_id": None}, {"deal_id": ""}, {"owner_ids": []}])
def test_what_the_document_says_there_is_not_is_not_asked_for(document: dict[str, Any]) -> None:
    assert wants(webhook("task", **{"deal_id": "", "owner_ids": None, **document}), "deal", "owners") == []


def test_what_a_dialect_leaves_out_is_asked_for() -> None:
    contacts, organization = wants(webhook("deal", user={"id": "u1", "name": "Hian"}), "contacts", "organization")
    assert (contacts.ids, contacts.path, contacts.many) == ((), "contact_ids", True)
    assert (organization.ids, organization.path) == ((), "organization_id")


def test_a_part_is_completed_where_its_name_is_missing() -> None:
    assert wants(webhook("deal", user={"id": "u1", "name": "Hian"}), "user") == []
    assert wants(webhook("deal", user={}), "user") == []
    assert wants(webhook("deal", owner_id="u1", stage_id="s1"), "user") == [
        Want(Reach("crm", DEAL, "user"), "user", ("u1",), "user.id")
    ]


def test_a_kind_without_relations_wants_nothing() -> None:
    assert wants(webhook("product"), "deal", "contacts") == []
