"""The plan: what is created, moved, activated, kept and deleted, and what is left alone."""

from pathlib import Path
from typing import cast

import pytest

from bridge.component.remote import Address, Registration, RegistrationStatus, Remote
from bridge.config import load
from bridge.errors import RemoteInvalidError
from bridge.remote.subscribing import Act, Step, carry_out, events_wanted, plan

OURS = "https://bridge.example.com/hooks/crm"
ADDRESS = Address(f"{OURS}/new")


def registered(id_: str, event: str, url: str = ADDRESS.url, status: RegistrationStatus = "active") -> Registration:
    return Registration(id_, event, url, status)


def planned(wanted: str, *there: Registration) -> list[tuple[str, str, str | None]]:
    steps = plan(wanted.split(), there, ADDRESS, OURS)
    return [(step.act.value, step.event, step.registered.id if step.registered else None) for step in steps]


def test_what_is_missing_is_created_in_the_order_of_its_name() -> None:
    assert planned("b a") == [("create", "a", None), ("create", "b", None)]


def test_what_is_there_stays() -> None:
    assert planned("a", registered("1", "a")) == [("keep", "a", "1")]


@pytest.mark.parametrize("status", ["suspended", "inactive"])
def test_what_is_not_posted_is_activated(status: RegistrationStatus) -> None:
    assert planned("a", registered("1", "a", status=status)) == [("activate", "a", "1")]


@pytest.mark.parametrize("url", [f"{OURS}/old", OURS])
def test_what_has_an_old_address_of_ours_is_moved(url: str) -> None:
    assert planned("a", registered("1", "a", url, "suspended")) == [("move", "a", "1")]


def test_what_nobody_listens_to_and_what_is_there_twice_is_deleted() -> None:
    there = registered("2", "a", f"{OURS}/old"), registered("1", "a"), registered("3", "z")
    assert planned("a", *there) == [("keep", "a", "1"), ("delete", "a", "2"), ("delete", "z", "3")]


@pytest.mark.parametrize("url", [f"{OURS}2/x", "https://other.example.com/hooks/crm/x", f"{OURS}-test"])
def test_what_posts_elsewhere_is_left_alone(url: str) -> None:
    assert planned("", registered("1", "a", url)) == []


def test_no_secret_stands_in_what_is_printed() -> None:
    assert "new" not in f"{ADDRESS!r} {registered('1', 'a')!r} {plan(['a'], [registered('1', 'a')], ADDRESS, OURS)!r}"


@pytest.mark.parametrize(
    ("routes", "wanted"),
    [
        (
            "[{name: a, on: deal.lost, deliver: [{to: t, text: x}]}]",
            "crm_deal_created crm_deal_deleted crm_deal_updated",
        ),
        ("[{name: a, on: contact.created, deliver: [{to: t, text: x}]}]", "crm_contact_created"),
        ("[{name: a, on: bridge.source_silent, deliver: [{to: t, text: x}]}]", ""),
        (
            "[{name: a, on: contact.created, deliver: [{to: t, text: x, delay: 1h, unless: contact.deleted}]}]",
            "crm_contact_created crm_contact_deleted",
        ),
    ],
)
def test_events_are_wanted_that_routes_hear_and_that_make_them_changes(
    tmp_path: Path, routes: str, wanted: str
) -> None:
    head = "version: 1\nsources: {crm: {type: rdstation_crm}}\ntargets: {t: {type: log}}\nroutes: "
    (tmp_path / "routes.yaml").write_text(head + routes)
    ruleset = load(tmp_path / "routes.yaml", {}).ruleset
    assert sorted(events_wanted(ruleset, ruleset.sources["crm"])) == wanted.split()


class Refusing:
    """An API that refuses one event."""

    def __init__(self) -> None:
        self.done: list[str] = []

    async def register(self, event: str, address: Address) -> Registration:
        if event == "b":
            raise RemoteInvalidError("no such event")
        self.done.append(event)
        return registered("9", event, address.url)


async def test_a_step_that_fails_keeps_no_other_from_being_taken() -> None:
    remote = Refusing()
    steps = [Step(Act.CREATE, event) for event in "abc"]
    done = await carry_out(steps, cast("Remote", remote), ADDRESS)
    assert [(each.step.event, each.error) for each in done] == [("a", None), ("b", "no such event"), ("c", None)]
    assert remote.done == ["a", "c"]
