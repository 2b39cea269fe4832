from pathlib import Path

from bridge.component.client import Client
from bridge.component.remote import Remote, Urgency
from bridge.config import load
from bridge.rdstation.api.budget import MOST
from bridge.remote.connections import Remotes

TEXT = "version: 1\nsources:\n  crm: {{type: rdstation_crm{crm}}}\n  other: {{type: rdstation_crm{other}}}\n"
REST = "targets: {t: {type: log}}\nroutes: [{name: a, on: deal.lost, deliver: [{to: t, text: x}]}]\n"


async def test_an_api_lasts_over_reloads_for_as_long_as_its_options_stay(tmp_path: Path) -> None:
    async with Client() as http:
        remotes = Remotes(http, tmp_path)

        def adopt(crm: str, other: str = "") -> Remote | None:
            (tmp_path / "routes.yaml").write_text(TEXT.format(crm=crm, other=other) + REST)
            remotes.adopt(load(tmp_path / "routes.yaml", {}).ruleset.sources)
            return remotes.get("crm")

        first = adopt(", api: {token: a}")
        assert first
        assert list(remotes.names) == ["crm"]
        assert remotes.get("other") is None
        assert adopt(", api: {token: a}", ", api: {token: c}") is first, "another source is none of its business"
        assert list(remotes.names) == ["crm", "other"]
        await first._caller.budget.spend(Urgency.MESSAGE)  # type: ignore[attr-defined]  # what a request costs
        patient = adopt(", api: {token: a, wait: 30s}, silence: 1d")
        assert patient
        assert patient.left == first.left == MOST - 1, "with the same token the same pace goes on"
        second: Remote | None = adopt(", api: {token: b}")
        assert second
        assert second.left == MOST, "a new token opens it anew"
        assert adopt("") is None
        assert not list(remotes.names)
