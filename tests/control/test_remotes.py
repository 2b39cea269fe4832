"""What people do by the API of a source, beside the simulated CRM and over both of its APIs."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import RemoteError, RequestRefusedError
from bridge.simulator import Simulator
from tests.support.crm import BACK, CrmClient, simulated
from tests.support.remotes import DEAL_EVENTS, SECRET, Office, office

OTHER = "https://other.example.com/in/s3cret-of-theirs?key=k3y"


@pytest.fixture
async def crm() -> AsyncIterator[Simulator]:
    async with simulated(client_secret="s3cret") as running:
        yield running


@pytest.fixture(params=["v1", "v2"])
async def there(request: pytest.FixtureRequest, crm: Simulator, tmp_path: Path) -> AsyncIterator[Office]:
    async with office(crm, tmp_path, request.param) as made:
        yield made


def acts(answer: dict[str, Any]) -> list[tuple[str, str]]:
    assert not [each["error"] for each in answer["steps"] if each["error"]]
    return [(each["act"], each["event"]) for each in answer["steps"]]


async def test_a_sync_registers_what_the_rules_need_and_again_changes_nothing(there: Office) -> None:
    wanted = [("create", event) for event in DEAL_EVENTS]
    assert acts(await there.operations.sync(dry_run=True)) == wanted
    assert there.registered() == {}
    assert acts(await there.operations.sync()) == wanted
    assert there.registered() == dict.fromkeys(DEAL_EVENTS, "active")
    before = [each.id for each in there.crm.registry]
    assert acts(await there.operations.sync("crm")) == [("keep", event) for event in DEAL_EVENTS]
    assert [each.id for each in there.crm.registry] == before


async def test_a_sync_mends_what_is_suspended_has_moved_or_is_heard_by_nobody(there: Office) -> None:
    old, lonely = f"{there.hooks.url}/hooks/crm/an-old-secret", there.add("crm_task_created", there.address)
    there.add("crm_deal_created", old)
    there.add("crm_deal_updated", there.address)
    other = there.add("crm_deal_updated", OTHER)
    there.crm.registry.suspend(there.address)
    there.crm.registry.suspend(OTHER)
    assert acts(await there.operations.sync()) == [
        ("move", "crm_deal_created"),
        ("create", "crm_deal_deleted"),
        ("activate", "crm_deal_updated"),
        ("delete", "crm_task_created"),
    ]
    assert there.registered() == dict.fromkeys(DEAL_EVENTS, "active")
    assert there.crm.registry.get(lonely.id) is None
    assert there.crm.registry.get(other.id) is other
    assert (other.url, other.status) == (OTHER, "suspended"), "a webhook of another system is nobody's business"


async def test_a_step_that_the_crm_refuses_is_told_beside_the_others(there: Office) -> None:
    there.hooks.status = 500
    steps = (await there.operations.sync())["steps"]
    assert [each["act"] for each in steps] == ["create"] * 3
    assert all("did not answer" in each["error"] and SECRET not in each["error"] for each in steps)


async def test_no_secret_of_anybody_is_listed(there: Office) -> None:
    there.add("crm_deal_created", there.address)
    for url in (OTHER, "https://hooks.example.com/catch/12/abc/", "https://plain.example.com", f"{there.hooks.url}/x"):
        there.add("crm_deal_updated", url)
    listed = (await there.operations.webhooks())["webhooks"]
    assert [(each["ours"], each["url"]) for each in listed] == [
        (True, f"{there.hooks.url}/hooks/crm/***"),
        (False, "https://other.example.com/***"),
        (False, "https://hooks.example.com/***"),
        (False, "https://plain.example.com"),
        (False, f"{there.hooks.url}/***"),
    ]


async def test_an_address_that_is_none_hides_nothing_else(there: Office) -> None:
    there.add("crm_deal_created", there.address)
    there.add("crm_deal_created", "http://[broken")
    assert [each["url"] for each in (await there.operations.webhooks())["webhooks"]][1] == "***"


async def test_deleting_takes_ours_or_what_is_named(there: Office) -> None:
    ours = there.add("crm_deal_created", there.address)
    other = there.add("crm_deal_updated", OTHER)
    assert acts(await there.operations.delete(None, [], dry_run=True)) == [("delete", "crm_deal_created")]
    assert there.crm.registry.get(ours.id)
    await there.operations.delete(None, [])
    assert list(there.crm.registry) == [other]
    with pytest.raises(RequestRefusedError, match='no webhook "none" is registered') as refusal:
        await there.operations.delete("crm", [other.id, "none"])
    assert refusal.value.code == "unknown-id"
    assert list(there.crm.registry) == [other]
    await there.operations.delete("crm", [other.id])
    assert list(there.crm.registry) == []


async def test_updating_gives_ours_the_address_of_today_and_activates_them(there: Office) -> None:
    old = there.add("crm_deal_created", f"{there.hooks.url}/hooks/crm/an-old-secret")
    suspended = there.add("crm_deal_updated", there.address)
    other = there.add("crm_deal_updated", OTHER)
    there.crm.registry.suspend(there.address)
    assert acts(await there.operations.update(None, [], dry_run=True)) == [
        ("update", "crm_deal_created"),
        ("update", "crm_deal_updated"),
    ]
    assert there.registered() == {"crm_deal_updated": "suspended"}
    await there.operations.update(None, [old.id])
    assert there.registered() == {"crm_deal_created": "active", "crm_deal_updated": "suspended"}
    await there.operations.update("crm", [suspended.id])
    assert there.registered() == {"crm_deal_created": "active", "crm_deal_updated": "active"}
    with pytest.raises(RequestRefusedError, match="posts to another system") as refusal:
        await there.operations.update(None, [suspended.id, other.id])
    assert refusal.value.code == "not-ours"
    assert OTHER in {each.url for each in there.crm.registry}


async def test_one_webhook_is_shown_without_what_opens_it(there: Office) -> None:
    ours = there.add("crm_deal_created", there.address)
    told = await there.operations.webhook(None, ours.id)
    assert (told["event"], told["status"], told["ours"]) == ("crm_deal_created", "active", True)
    assert told["url"] == f"{there.hooks.url}/hooks/crm/***"
    with pytest.raises(RequestRefusedError, match='no webhook "none" is registered') as refusal:
        await there.operations.webhook("crm", "none")
    assert refusal.value.code == "unknown-id"


async def test_status_counts_our_webhooks_and_says_whose_account_it_is(there: Office) -> None:
    await there.operations.sync()
    there.add("crm_deal_created", OTHER)
    [told] = (await there.operations.status())["sources"]
    assert (told["name"], told["error"], told["webhooks"]) == ("crm", None, {"active": 3})
    assert told["account"]
    assert 0 < told["requests_left"] < 120
    there.crm.registry.suspend(there.address)
    [told] = (await there.operations.status())["sources"]
    assert told["webhooks"] == {"suspended": 3}


async def test_a_source_without_an_api_has_nothing_to_tell(crm: Simulator, tmp_path: Path) -> None:
    async with office(crm, tmp_path, "v1") as there:
        there.remotes.adopt({})
        assert await there.operations.status() == {"sources": []}
        with pytest.raises(RequestRefusedError, match="no source has an `api`") as refusal:
            await there.operations.webhooks()
        assert refusal.value.code == "no-api"


async def test_who_is_not_connected_is_told_how(crm: Simulator, tmp_path: Path) -> None:
    async with office(crm, tmp_path, "v2") as there:
        for file in (tmp_path / "tokens").iterdir():
            file.unlink()
        there.remotes.adopt({})
        there.remotes.adopt(there.rules.sources)
        [told] = (await there.operations.status())["sources"]
        assert "bridge crm login" in told["error"]
        with pytest.raises(RemoteError, match="bridge crm login"):
            await there.operations.sync()


async def test_without_a_public_address_nothing_is_registered_from_afar(there: Office) -> None:
    with pytest.raises(RequestRefusedError, match="BRIDGE_PUBLIC_URL") as refusal:
        await there.without_address().sync()
    assert refusal.value.code == "no-public-url"
    there.add("crm_deal_created", there.address)
    [listed] = (await there.without_address().webhooks())["webhooks"]
    assert (listed["ours"], listed["url"]) == (None, f"{there.hooks.url}/***")
    [status] = (await there.without_address().status())["sources"]
    assert status["webhooks"] is None
    assert list(there.crm.registry)
    for act in (there.without_address().delete(None, []), there.without_address().update(None, [listed["id"]])):
        with pytest.raises(RequestRefusedError, match="which webhooks are ours cannot be told: start bridge"):
            await act
    assert len((await there.without_address().delete(None, [listed["id"]]))["steps"]) == 1


async def test_a_header_goes_along_with_v2(crm: Simulator, tmp_path: Path) -> None:
    async with office(crm, tmp_path, "v2", opens="auth_header: X-Key, auth_key: k3y") as there:
        acts(await there.operations.sync())
        assert {(each.url, each.auth_header, each.auth_key) for each in crm.registry} == {
            (f"{there.hooks.url}/hooks/crm", "X-Key", "k3y")
        }
        [one, *_] = (await there.operations.webhooks())["webhooks"]
        assert (one["ours"], one["url"]) == (True, f"{there.hooks.url}/hooks/crm")
        assert {got.headers["X-Key"] for got in there.hooks.got} == {"k3y"}


async def test_a_header_is_refused_by_v1_in_clear_words(crm: Simulator, tmp_path: Path) -> None:
    async with office(crm, tmp_path, "v1", opens="auth_header: X-Key, auth_key: k3y") as there:
        steps = (await there.operations.sync())["steps"]
        assert {each["error"] for each in steps} == {
            "API v1 cannot have webhooks carry a header: give the source a secret in its address, or use API v2"
        }
        assert list(crm.registry) == []


async def test_a_source_that_is_misspelt_or_left_out_is_named(there: Office) -> None:
    with pytest.raises(RequestRefusedError, match='no source "crn" has an `api`; did you mean "crm"'):
        await there.operations.sync("crn")
    sources = {"crm": there.rules.sources["crm"], "b": there.rules.sources["crm"]}
    there.remotes.adopt(sources)
    object.__setattr__(there.rules, "sources", sources)
    with pytest.raises(RequestRefusedError, match="name one: crm, b") as refusal:
        await there.operations.sync()
    assert refusal.value.code == "unknown-source"


async def test_signing_in_is_for_v2(crm: Simulator, tmp_path: Path) -> None:
    async with office(crm, tmp_path, "v1") as there:
        with pytest.raises(RequestRefusedError, match="opened by its token") as refusal:
            await there.operations.sign_in_page(None, BACK, "s")
        assert refusal.value.code == "no-sign-in"
        with pytest.raises(RemoteError, match="nothing to sign in to"):
            await there.operations.sign_in(None, "code", BACK)
    async with office(crm, tmp_path, "v2") as there:
        page = (await there.operations.sign_in_page(None, BACK, "s"))["page"]
        assert page.startswith(f"{crm.url}/oauth/authorize?")
        assert "s3cret" not in page
        async with CrmClient(crm.url) as browser:
            told = await there.operations.sign_in("crm", await browser.code(), BACK)
        assert told["account"]
        with pytest.raises(RemoteError, match="bridge crm login"):
            await there.operations.sign_in("crm", "wrong", BACK)
