"""The real daemon beside the simulated CRM: its messages have the names that no webhook brings."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from bridge.component.client import Client
from bridge.rdstation.api.connecting import connect
from bridge.rdstation.api.options import ApiOptions
from bridge.simulator import Simulator, SimulatorSettings, VirtualClock
from tests.support.daemon import Daemon
from tests.support.sink import Sink

RULES = """\
version: 1
sources:
  crm: {type: rdstation_crm, api: {API, url: "CRM", wait: 20s}}
targets:
  team: {type: http, url: "{sink}/team", concurrency: 16}
routes:
  - name: tasks
    on: [task.created, task.completed]
    deliver:
      - to: team
        body:
          id: "{{ task.id }}"
          deal: "{{ task.deal.name }}"
          owners: "{{ task.owners | map(attribute='name') | list }}"
  - name: closings
    on: [deal.won, deal.lost]
    deliver:
      - to: team
        body:
          id: "{{ deal.id }}"
          contacts: "{{ deal.contacts | map(attribute='name') | list }}"
          organization: "{{ deal.organization.name }}"
          owner: "{{ deal.user.name }}"
"""
V1 = "token: simulated"
V2 = "client_id: simulated, client_secret: simulated"


async def signed_in(folder: Path, crm: Simulator) -> None:
    """Do what `bridge crm login` does: allow access, and keep what that brings."""
    options = ApiOptions.model_validate({"client_id": "simulated", "client_secret": "simulated", "url": crm.url})
    async with Client() as http, aiohttp.ClientSession() as session:
        remote = connect(options, http, folder / "secrets" / "crm.tokens")
        page = remote.sign_in_page("http://127.0.0.1:1/callback", "state")
        async with session.get(URL(str(page)), allow_redirects=False) as answer:
            code = URL(answer.headers["Location"]).query["code"]
        await remote.sign_in(code, "http://127.0.0.1:1/callback")


def expected(crm: Simulator) -> dict[str, Callable[[], dict[str, Any]]]:
    deals = {deal.id: deal for deal in crm.team.deals.values()}
    tasks = {task.id: task for task in crm.team.tasks.values()}
    return {
        **{
            id_: lambda deal=deal: {  # type: ignore[misc]  # mypy cannot see the default
                "contacts": [contact.name for contact in deal.contacts],
                "organization": deal.organization.name if deal.organization else None,
                "owner": deal.user.name,
            }
            for id_, deal in deals.items()
        },
        **{
            id_: lambda task=task: {  # type: ignore[misc]  # the same
                "deal": task.deal.name if task.deal else None,
                "owners": [user.name for user in task.owners],
            }
            for id_, task in tasks.items()
        },
    }


@pytest.mark.parametrize("api", [V1, V2], ids=["v1", "v2"])
async def test_messages_have_the_names_that_no_webhook_brings(daemon: Daemon, sink: Sink, api: str) -> None:
    given = SimulatorSettings(events_per_hour=6000, requests_per_minute=0)
    async with Simulator(given, VirtualClock(datetime.now(UTC))) as crm:
        if api == V2:
            await signed_in(daemon.data, crm)
        await daemon.start(RULES.replace("API", api, 1).replace("CRM", crm.url))
        crm.register_all(daemon.hook)
        await crm.advance(timedelta(minutes=1))
        await daemon.settle()
        truth = expected(crm)
        told = [got.body for got in sink.got if got.body["id"] in truth]
        assert len(told) >= 10
        for body in told:
            assert {name: value for name, value in body.items() if name != "id"} == truth[body["id"]](), body
    events = (await daemon.ask("/api/events?limit=1000"))["events"]
    assert not [event["reason"] for event in events if event["reason"] and "without" in event["reason"]]


async def test_an_api_that_is_down_keeps_no_message_and_is_told_of(daemon: Daemon, sink: Sink) -> None:
    async with Simulator(SimulatorSettings(events_per_hour=0.01), VirtualClock(datetime.now(UTC))) as crm:
        await daemon.start(RULES.replace("API", V1, 1).replace("CRM", "http://127.0.0.1:9"))
        crm.register_all(daemon.hook)
        deal = next(iter(crm.team.deals.values()))
        crm.team.win(deal)
        await crm.advance(timedelta(seconds=2))
        await daemon.settle()
    (got,) = sink.got
    assert (got.body["contacts"], got.body["organization"]) == ([], None)
    (event,) = [each for each in (await daemon.ask("/api/events"))["events"] if each["state"] == "routed"]
    assert event["reason"] == "told without deal.contacts, deal.organization, which could not be looked up"
