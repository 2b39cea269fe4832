"""The simulated CRM beside the operations that use its API, as a daemon has them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bridge.component.client import Client
from bridge.component.remote import Remote
from bridge.control.host import Host
from bridge.control.remotes import RemoteOperations
from bridge.remote.connections import Remotes
from bridge.ruleset import Ruleset
from bridge.simulator import Simulator
from bridge.simulator.registrations import Registration, Wish
from tests.support.clock import ManualClock
from tests.support.crm import BACK, CrmClient
from tests.support.shop import load_rules
from tests.support.sink import Sink

ACCESS = {"v1": "token: simulated", "v2": "client_id: simulated, client_secret: s3cret"}
SECRET = "s3cret-of-the-source"
RULES = """\
version: 1
sources:
  crm: {{type: rdstation_crm, {opens}, api: {{{access}, url: "{url}"{api}}}}}
targets:
  team: {{type: log}}
routes:
  - name: closings
    on: [deal.won, deal.lost]
    deliver: [{{to: team, text: "{{{{ deal.name }}}}"}}]
"""
DEAL_EVENTS = ["crm_deal_created", "crm_deal_deleted", "crm_deal_updated"]
"""What the rules need."""


def rules_text(crm: Simulator, version: str, opens: str = f"secrets: [{SECRET}]", api: str = "") -> str:
    return RULES.format(access=ACCESS[version], url=crm.url, opens=opens, api=api)


@dataclass
class Office:
    """A source with an API: the CRM, the address that its webhooks come to, and what people can do."""

    crm: Simulator
    hooks: Sink
    rules: Ruleset
    remotes: Remotes
    host: Host
    version: str

    @property
    def operations(self) -> RemoteOperations:
        return RemoteOperations(self.host)

    @property
    def remote(self) -> Remote:
        found = self.remotes.get("crm")
        assert found
        return found

    @property
    def address(self) -> str:
        return f"{self.hooks.url}/hooks/crm/{SECRET}"

    def reload(self, ruleset: Ruleset) -> None:
        """Put other rules into force."""
        self.rules = ruleset
        self.remotes.adopt(ruleset.sources)

    def without_address(self) -> RemoteOperations:
        """Return the operations of a bridge that nobody told its own address."""
        return RemoteOperations(replace(self.host, public_url=None, local_url=None))

    def add(self, event: str, url: str) -> Registration:
        return self.crm.registry.add(Wish(event, url))

    def registered(self) -> dict[str, str]:
        """Return the status of each event that is posted to us."""
        return {each.event_name: each.status for each in self.crm.registry if each.url == self.address}

    async def login(self) -> None:
        if self.version == "v2":
            async with CrmClient(self.crm.url) as browser:
                await self.remote.sign_in(await browser.code(), BACK)


@asynccontextmanager
async def office(crm: Simulator, folder: Path, version: str, **more: Any) -> AsyncIterator[Office]:
    """Yield an office that is signed in."""
    rules = load_rules(folder, ManualClock(), rules_text(crm, version, **more))
    async with Client() as http, Sink() as hooks:
        remotes = Remotes(http, folder / "tokens")
        remotes.adopt(rules.sources)
        header = rules.sources["crm"].options.auth_header
        host = Host(
            current=lambda: made.rules,
            paths=lambda name: (f"/hooks/{name}" if header else f"/hooks/{name}/{SECRET}",),
            headers=lambda _: {header: "k3y"} if header else {},
            public_url=hooks.url,
            remote=remotes.get,
        )
        made = Office(crm, hooks, rules, remotes, host, version)
        await made.login()
        yield made
