"""Both APIs, as the facts of them and of their public clients say: paths, bodies, envelopes, paging, ceilings."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.component.http import Answer, Request
from bridge.component.remote import Address, Registration, Urgency
from bridge.errors import RemoteInvalidError, RemoteUnavailableError
from bridge.model import Entity
from bridge.options import Secret
from bridge.rdstation.api.access import OAuthAccess, TokenAccess
from bridge.rdstation.api.budget import MOST
from bridge.rdstation.api.caller import Caller
from bridge.rdstation.api.connecting import connect
from bridge.rdstation.api.keeping import TokenFile, Tokens
from bridge.rdstation.api.options import ApiOptions
from bridge.rdstation.api.v1 import V1
from bridge.rdstation.api.v2 import V2
from tests.rdstation.api import conftest
from tests.rdstation.api.conftest import Crm, answer

SINCE = datetime(2026, 11, 24, 12, tzinfo=UTC)
OLD, NEW = "2026-11-24T08:59:59.000-03:00", "2026-11-24T09:00:00.000-03:00"
ADDRESS = Address("https://bridge.example/hooks/crm/s3cret")
GUARDED = Address("https://bridge.example/hooks/crm", ("X-Key", Secret("k3y")))

Sleep = Callable[[float], Awaitable[None]]


@pytest.fixture
def v1(crm: Crm, sleep: Sleep) -> V1:
    return V1(Caller(conftest.V1, TokenAccess(Secret("t0ken")), crm, sleep=sleep))


@pytest.fixture
def v2(crm: Crm, sleep: Sleep, tmp_path: Path) -> V2:
    file = TokenFile(tmp_path / "tokens", Secret("s3cret"))
    file.save(Tokens(Secret("a1"), Secret("r1"), 9e12))
    access = OAuthAccess(conftest.V2, file)
    return V2(Caller(conftest.V2, access, crm, sleep=sleep), access, crm)


def webhook1(status: str = "active") -> dict[str, Any]:
    return {"uuid": "w1", "event_type": "crm_deal_updated", "url": ADDRESS.url, "status": status}


def webhook2(status: str = "active") -> dict[str, Any]:
    return {"data": {"id": "w1", "event_name": "crm_deal_updated", "url": ADDRESS.url, "status": status}}


REGISTERED = Registration("w1", "crm_deal_updated", ADDRESS.url, "active")


@pytest.mark.parametrize("options", [conftest.V1, conftest.V2])
def test_the_options_say_which_one_is_meant(options: ApiOptions, crm: Crm, tmp_path: Path) -> None:
    assert type(connect(options, crm, tmp_path / "crm.tokens")) is (V2 if options.v2 else V1)


@pytest.mark.parametrize("options", [conftest.V1, conftest.V2], ids=["v1", "v2"])
async def test_other_options_with_the_same_credentials_share_the_pace(
    options: ApiOptions, crm: Crm, tmp_path: Path
) -> None:
    file = tmp_path / "crm.tokens"
    TokenFile(file, Secret("s3cret")).save(Tokens(Secret("a1"), Secret("r1"), 9e12))
    crm.paths["/api/v1/token/check"] = {}
    crm.paths["/crm/v2/users"] = {"data": []}
    former = connect(options, crm, file)
    await former.identity()
    patient = options.model_copy(update={"wait": timedelta(seconds=30)})
    now = connect(patient, crm, file, former)
    assert (now.patience, now.left) == (30, former.left)
    await former.identity()
    assert now.left == former.left < MOST - 1
    for other in {"url": "http://other.test"}, {"client_secret": Secret("new")}, {"token": Secret("new")}:
        assert connect(options.model_copy(update=other), crm, file, former).left == MOST
    assert connect(conftest.V1, crm, file, connect(conftest.V2, crm, file)).left == MOST


async def test_a_refresh_token_is_not_used_twice_when_a_reload_comes_in_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, gate, crm = tmp_path / "crm.tokens", asyncio.Event(), Crm()
    TokenFile(file, Secret("s3cret")).save(Tokens(Secret("a1"), Secret("r1"), 0))
    crm.paths["/oauth2/token"] = {"access_token": "a2", "refresh_token": "r2", "expires_in": 7200}
    crm.paths["/crm/v2/users"] = {"data": []}
    call = crm.call

    async def slow(request: Request) -> Answer:
        answered = await call(request)
        if request.method == "POST":
            await gate.wait()
        return answered

    monkeypatch.setattr(crm, "call", slow)
    former = connect(conftest.V2, crm, file)
    before = asyncio.ensure_future(former.identity())
    while not crm.asked:
        await asyncio.sleep(0.001)
    now = connect(conftest.V2.model_copy(update={"wait": timedelta(seconds=30)}), crm, file, former)
    after = asyncio.ensure_future(now.identity())
    await asyncio.sleep(0.01)
    gate.set()
    await asyncio.gather(before, after)
    assert [request.method for request in crm.asked] == ["POST", "GET", "GET"]
    assert {request.headers["Authorization"] for request in crm.asked[1:]} == {"Bearer a2"}


async def test_v1_tells_whose_token_it_is(v1: V1, crm: Crm) -> None:
    crm.paths["/api/v1/token/check"] = {"email": "h@example.com", "name": "Hian", "organization": "Loja"}
    assert await v1.identity() == "Loja, Hian, h@example.com"
    assert v1.sign_in_page("http://x", "s") is None
    with pytest.raises(RemoteInvalidError):
        await v1.sign_in("code", "http://x")


@pytest.mark.parametrize("told", [[webhook1()], {"webhooks": [webhook1()]}])
async def test_v1_lists_webhooks_alone_or_under_a_name(v1: V1, crm: Crm, told: Any) -> None:
    crm.paths["/api/v1/webhooks"] = told
    assert await v1.registrations() == [REGISTERED]


async def test_an_unknown_status_is_inactive_and_what_is_no_webhook_is_said(v1: V1, crm: Crm) -> None:
    crm.paths["/api/v1/webhooks"] = [webhook1("broken")]
    assert [each.status for each in await v1.registrations()] == ["inactive"]
    crm.paths["/api/v1/webhooks"] = [{"uuid": 7}]
    with pytest.raises(RemoteUnavailableError, match="no webhook"):
        await v1.registrations()


async def test_v1_registers_by_event_type(v1: V1, crm: Crm) -> None:
    crm.paths["/api/v1/webhooks"] = answer(201, webhook1())
    assert await v1.register("crm_deal_updated", ADDRESS) == REGISTERED
    assert crm.bodies() == [{"event_type": "crm_deal_updated", "http_method": "POST", "url": ADDRESS.url}]
    with pytest.raises(RemoteInvalidError, match="secret in its address"):
        await v1.register("crm_deal_updated", GUARDED)


async def test_v1_activates_by_a_put_and_if_that_is_not_enough_anew(v1: V1, crm: Crm) -> None:
    crm.script.extend(
        [answer(200, webhook1()), answer(200, webhook1("suspended")), answer(204), answer(201, webhook1())]
    )
    assert await v1.activate(REGISTERED, ADDRESS) == REGISTERED
    assert crm.bodies()[0]["status"] == "active"
    assert await v1.activate(REGISTERED, ADDRESS) == REGISTERED
    assert [request.method for request in crm.asked] == ["PUT", "PUT", "DELETE", "POST"]


async def test_what_is_not_registered_need_not_be_taken_away(v1: V1, v2: V2, crm: Crm) -> None:
    crm.script.extend([answer(404, {"errors": {}}), answer(204)])
    await v1.unregister("w1")
    await v2.unregister("w1")


async def test_v1_gives_an_entity_in_the_words_of_webhooks(v1: V1, crm: Crm) -> None:
    crm.paths["/api/v1/deals/d1"] = {"_id": "d1", "name": "Loja", "win": True}
    crm.paths["/api/v1/users"] = {"users": [{"_id": "u1", "name": "Hian"}]}
    assert await v1.document(Entity("deal", "d1"), Urgency.MESSAGE) == {"id": "d1", "name": "Loja", "status": "won"}
    assert await v1.document(Entity("user", "u1"), Urgency.MESSAGE) == {"id": "u1", "name": "Hian"}
    assert await v1.document(Entity("user", "u2"), Urgency.MESSAGE) is None
    crm.paths["/api/v1/deals/d2"] = answer(404)
    assert await v1.document(Entity("deal", "d2"), Urgency.MESSAGE) is None


@pytest.mark.parametrize("id_", ["../webhooks", "%2e%2e/webhooks", "..", "d1/contacts", "d1?limit=1", "d1#", "", "d\n"])
async def test_an_id_leads_to_no_other_resource(v1: V1, v2: V2, crm: Crm, id_: str) -> None:
    for api in v1, v2:
        assert await api.document(Entity("deal", id_), Urgency.MESSAGE) is None
        assert not await api.related(Entity("deal", id_), "contacts", Urgency.MESSAGE)
        await api.unregister(id_)
    assert not crm.asked


async def test_v1_gives_the_contacts_of_a_deal_whole(v1: V1, crm: Crm) -> None:
    crm.paths["/api/v1/deals/d1/contacts"] = {"contacts": [{"_id": "c1", "title": "CEO"}], "has_more": False}
    assert await v1.related(Entity("deal", "d1"), "contacts", Urgency.MESSAGE) == [{"id": "c1", "job_title": "CEO"}]
    crm.paths["/api/v1/deals/d2/contacts"] = answer(404)
    assert await v1.related(Entity("deal", "d2"), "contacts", Urgency.MESSAGE) == ()


async def test_v1_lists_stages_by_pipeline(v1: V1, crm: Crm) -> None:
    crm.paths["/api/v1/deal_pipelines"] = [{"_id": "p1", "name": "Funil"}]
    crm.paths["/api/v1/deal_stages"] = {"deal_stages": [{"_id": "s1", "name": "Proposta"}]}
    assert await v1.listed("deal_stage") == [{"id": "s1", "name": "Proposta", "deal_pipeline_id": "p1"}]


async def test_v1_follows_pages_for_as_long_as_there_are_more(v1: V1, crm: Crm) -> None:
    crm.paths["/api/v1/users"] = lambda query: {
        "users": [{"id": f"u{query['page']}"}],
        "has_more": query["page"] != "3",
    }
    assert [user["id"] for user in await v1.listed("user")] == ["u1", "u2", "u3"]
    assert {query["limit"] for query in crm.queries()} == {"200"}


async def test_v1_asks_for_nothing_beyond_the_ceiling(v1: V1, crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.rdstation.api.v1.CEILING", 400)
    crm.paths["/api/v1/contacts"] = {"contacts": [{"id": "c"}], "has_more": True}
    assert len(await v1.listed("contact")) == 2


async def test_v1_finds_open_paused_and_closed_deals_that_were_edited_and_fetches_each(v1: V1, crm: Crm) -> None:
    listed = {
        "null": [{"id": "d1", "updated_at": NEW}, {"id": "d2", "updated_at": OLD}],
        "paused": [{"id": "d5", "updated_at": NEW}],
        "true": [{"id": "d3", "updated_at": NEW}],
        "false": [{"id": "d4", "updated_at": NEW}, {"id": "gone"}],
    }

    def deals(query: Any) -> Any:
        status = "paused" if query.get("hold") == "true" else query["win"]
        return {"deals": listed[status], "has_more": False, "total": 2}

    crm.paths["/api/v1/deals"] = deals
    for id_ in ("d1", "d3", "d4", "d5"):
        crm.paths[f"/api/v1/deals/{id_}"] = {"id": id_, "name": "whole"}
    crm.paths["/api/v1/deals/gone"] = answer(404)
    found = [each async for each in v1.changed("deal", SINCE)]
    assert found == [{"id": id_, "name": "whole"} for id_ in ("d1", "d5", "d3", "d4")]
    closed = next(query for query in crm.queries() if query.get("win") == "true")
    assert (closed["closed_at_period"], closed["start_date"]) == ("true", "2026-11-23T12:00:00")


async def test_v1_finds_edited_entities_of_other_kinds_in_their_lists(v1: V1, crm: Crm) -> None:
    listed = [{"id": "t1", "subject": "Ligar", "updated_at": NEW}, {"id": "t2", "updated_at": OLD}]
    crm.paths["/api/v1/tasks"] = {"tasks": listed, "has_more": False}
    assert [each["name"] async for each in v1.changed("task", SINCE)] == ["Ligar"]


async def test_v1_slices_what_is_longer_than_the_ceiling(v1: V1, crm: Crm) -> None:
    def deals(query: Any) -> Any:
        total = 10_001 if query.get("deal_pipeline_id", "p1") == "p1" and "deal_stage_id" not in query else 1
        name = query.get("deal_stage_id") or query.get("deal_pipeline_id") or "everything"
        return {"deals": [{"id": name, "updated_at": NEW}], "has_more": False, "total": total}

    crm.paths["/api/v1/deals"] = deals
    crm.paths["/api/v1/deal_pipelines"] = [{"id": "p1"}, {"id": "p2"}]
    crm.paths["/api/v1/deal_stages"] = {"deal_stages": [{"id": "s1"}, {"id": "s2"}], "has_more": False}
    for id_ in ("s1", "s2", "p2"):
        crm.paths[f"/api/v1/deals/{id_}"] = {"id": id_}
    found = [each["id"] async for each in v1.changed("deal", SINCE)]
    assert found == ["s1", "s2", "p2"] * 4


async def test_v2_tells_of_its_people(v2: V2, crm: Crm) -> None:
    crm.paths["/crm/v2/users"] = {"data": [{"id": "u1", "name": "Hian"}]}
    assert await v2.identity() == "the account of Hian and others"
    crm.paths["/crm/v2/users"] = {"data": []}
    assert await v2.identity() == "an account without people"


async def test_v2_signs_in(v2: V2, crm: Crm) -> None:
    assert str(v2.sign_in_page("http://127.0.0.1:1/x", "s")).startswith("http://crm.test/oauth/authorize?")
    crm.paths["/oauth2/token"] = {"access_token": "a2", "refresh_token": "r2", "expires_in": 7200}
    await v2.sign_in("code", "http://127.0.0.1:1/x")
    crm.paths["/crm/v2/users"] = {"data": []}
    await v2.identity()
    assert crm.asked[-1].headers["Authorization"] == "Bearer a2"


async def test_v2_lists_webhooks_over_pages_whose_links_lead_elsewhere(v2: V2, crm: Crm) -> None:
    def page(query: Any) -> Any:
        more = {"next": "https://inner.example/api/v2/webhooks?page[number]=2"} if query["page[number]"] == "1" else {}
        return {"data": [webhook2()["data"]], "links": more}

    crm.paths["/crm/v2/webhooks"] = page
    assert await v2.registrations() == [REGISTERED, REGISTERED]
    assert all(request.url.startswith("http://crm.test/") for request in crm.asked)


async def test_v2_registers_in_an_envelope_with_a_header_if_there_is_one(v2: V2, crm: Crm) -> None:
    crm.paths["/crm/v2/webhooks"] = answer(201, webhook2())
    await v2.register("crm_deal_updated", ADDRESS)
    await v2.register("crm_deal_updated", GUARDED)
    plain = {"event_name": "crm_deal_updated", "http_method": "POST", "url": ADDRESS.url}
    guarded = {**plain, "url": GUARDED.url, "auth_header": "X-Key", "auth_key": "k3y"}
    assert crm.bodies() == [{"data": plain}, {"data": guarded}]


async def test_v2_activates_by_a_put_and_if_that_is_not_enough_anew(v2: V2, crm: Crm) -> None:
    crm.script.extend(
        [answer(200, webhook2()), answer(200, webhook2("suspended")), answer(204), answer(201, webhook2())]
    )
    assert await v2.activate(REGISTERED, ADDRESS) == REGISTERED
    assert await v2.activate(REGISTERED, ADDRESS) == REGISTERED
    assert [request.method for request in crm.asked] == ["PUT", "PUT", "DELETE", "POST"]


async def test_v2_gives_entities_as_they_are(v2: V2, crm: Crm) -> None:
    crm.paths["/crm/v2/deals/d1"] = {"data": {"id": "d1", "contact_ids": ["c1", "c2", None]}}
    crm.paths["/crm/v2/contacts/c1"] = {"data": {"id": "c1"}}
    crm.paths["/crm/v2/contacts/c2"] = answer(404)
    assert await v2.document(Entity("deal", "d1"), Urgency.MESSAGE) == {"id": "d1", "contact_ids": ["c1", "c2", None]}
    assert await v2.related(Entity("deal", "d1"), "contacts", Urgency.MESSAGE) == [{"id": "c1"}]
    crm.paths["/crm/v2/deals/d2"] = answer(404)
    assert await v2.related(Entity("deal", "d2"), "contacts", Urgency.MESSAGE) == []


async def test_v2_lists_stages_by_pipeline(v2: V2, crm: Crm) -> None:
    crm.paths["/crm/v2/pipelines"] = {"data": [{"id": "p1"}]}
    crm.paths["/crm/v2/pipelines/p1/stages"] = {"data": [{"id": "s1", "name": "Proposta"}]}
    stage = {"id": "s1", "name": "Proposta", "deal_pipeline_id": "p1"}
    assert await v2.listed("deal_stage") == [stage]
    assert await v2.listed("deal_pipeline") == [{"id": "p1"}]
    assert await v2.document(Entity("deal_stage", "s1"), Urgency.MESSAGE) == stage
    assert await v2.document(Entity("deal_stage", "s2"), Urgency.MESSAGE) is None


async def test_both_tell_the_ids_of_all_that_is_there(v1: V1, v2: V2, crm: Crm) -> None:
    crm.paths["/api/v1/contacts"] = {"contacts": [{"id": "c1"}, {"id": "c2"}], "has_more": False}
    crm.paths["/crm/v2/contacts"] = {"data": [{"id": "c1"}, {"id": "c2"}]}
    assert [id_ async for id_ in v1.present("contact")] == ["c1", "c2"]
    assert [id_ async for id_ in v2.present("contact")] == ["c1", "c2"]


async def test_v2_asks_for_edits_since_and_drops_what_is_older(v2: V2, crm: Crm) -> None:
    crm.paths["/crm/v2/deals"] = {
        "data": [{"id": "d1", "updated_at": NEW}, {"id": "d2", "updated_at": OLD}, {"id": "d3"}]
    }
    assert [each["id"] async for each in v2.changed("deal", SINCE)] == ["d1", "d3"]
    assert crm.queries()[0]["filter"] == "updated_at:>=2026-11-24T12:00:00Z"


async def test_v2_does_without_the_filter_where_it_fails(v2: V2, crm: Crm) -> None:
    crm.paths["/crm/v2/contacts"] = lambda query: (
        answer(422, {"errors": [{"detail": "no"}]})
        if "filter" in query
        else {"data": [{"id": "c1", "updated_at": NEW}]}
    )
    assert [each["id"] async for each in v2.changed("contact", SINCE)] == ["c1"]
    crm.paths["/crm/v2/tasks"] = {"data": [{"id": "t1", "updated_at": NEW}]}
    assert [each["id"] async for each in v2.changed("task", SINCE)] == ["t1"]
    assert "filter" not in crm.queries()[-1]
    crm.paths["/crm/v2/tasks"] = answer(422)
    with pytest.raises(RemoteInvalidError):
        [each async for each in v2.changed("task", SINCE)]


async def test_v2_goes_on_by_stage_beyond_the_ceiling(v2: V2, crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.rdstation.api.v2.CEILING", 2)
    monkeypatch.setattr("bridge.rdstation.api.v2.PAGE", 1)
    crm.paths["/crm/v2/pipelines"] = {"data": [{"id": "p1"}]}
    crm.paths["/crm/v2/pipelines/p1/stages"] = {"data": [{"id": "s1"}]}
    crm.paths["/crm/v2/deals"] = lambda query: (
        {"data": [{"id": "beyond", "updated_at": NEW}]}
        if query["filter"] == "stage_id:s1"
        else {"data": [{"id": query["page[number]"], "updated_at": NEW}], "links": {"next": "more"}}
    )
    assert [each["id"] async for each in v2.changed("deal", SINCE)] == ["1", "2", "beyond"]


def test_neither_an_address_nor_a_registration_tells_the_secret_in_it() -> None:
    assert "s3cret" not in repr(ADDRESS) + repr(REGISTERED)


@pytest.mark.parametrize("id_", ["..", "../webhooks", "a/b", "a%2Fb", "", "é", "a?token=x", "a" * 201])
async def test_an_id_that_leads_elsewhere_is_never_asked_for(v1: V1, v2: V2, crm: Crm, id_: str) -> None:
    for api in (v1, v2):
        assert await api.document(Entity("deal", id_), Urgency.MESSAGE) is None
        assert not await api.related(Entity("deal", id_), "contacts", Urgency.MESSAGE)
        await api.unregister(id_)
    assert crm.asked == []
