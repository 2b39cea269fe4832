"""API v1: the names, pages and many shapes of errors that the facts page and the official pages tell of."""

from datetime import timedelta
from typing import Any

import pytest

from bridge.rdstation import EVENTS
from bridge.simulator import Simulator
from bridge.simulator.entities import Contact, Deal, Task
from tests.support.crm import CrmClient, simulated
from tests.support.sink import Sink

MISSING = {
    "errors": {"error_type": "RESOURCE_NOT_FOUND", "error_message": "The resource could not be found"},
}


def a_deal(crm: Simulator, status: str = "ongoing") -> Deal:
    return next(deal for deal in crm.team.deals.values() if deal.status == status)


def webhook(url: str, event: str = "crm_deal_updated") -> dict[str, str]:
    return {"event_type": event, "http_method": "POST", "url": url}


@pytest.mark.parametrize("token", ["", "wrong"])
async def test_without_its_token_nothing_is_answered(client: CrmClient, token: str) -> None:
    client.token = token
    for path in ("token/check", "deals", "webhooks", "nothing"):
        answer = await client.v1(path)
        assert (answer.status, answer.body) == (401, {"error": "Permission denied."})


async def test_a_token_of_oauth_is_none_of_v1(client: CrmClient) -> None:
    client.token = client.access
    assert (await client.v1("deals")).status == 401


async def test_the_token_tells_whose_it_is(client: CrmClient) -> None:
    answer = await client.v1("token/check")
    assert answer.body.keys() == {"email", "name", "organization"}


async def test_what_is_not_there_has_the_shape_of_v1(client: CrmClient) -> None:
    for path in ("deals/0", "deals/0/contacts", "contacts/0", "organizations/0", "tasks/0", "webhooks/0", "nothing"):
        answer = await client.v1(path)
        assert (answer.status, answer.body) == (404, MISSING), path


# reads


async def test_a_deal_has_the_names_of_v1(crm: Simulator, client: CrmClient) -> None:
    deal, reason = a_deal(crm), next(iter(crm.team.lost_reasons.values()))
    crm.team.move(deal, deal.pipeline.stages[2])
    crm.team.lose(deal, reason, "caro demais")
    body = (await client.v1(f"deals/{deal.id}")).body
    assert body["id"] == body["_id"] == deal.id
    amounts = (body["amount_montly"], body["amount_unique"], body["amount_total"])
    assert amounts == (deal.amount_monthly, deal.amount_unique, deal.amount_total)
    assert (body["win"], body["hold"]) == (False, None)
    assert (body["deal_lost_note"], body["deal_lost_reason"]["name"]) == ("caro demais", reason.name)
    assert body["deal_pipeline"] == {"id": deal.pipeline.id, "name": deal.pipeline.name}
    assert body["deal_stage"]["id"] == deal.pipeline.stages[2].id
    assert body["organization"]["id"] == deal.organization.id if deal.organization else None
    histories = body["deal_stage_histories"]
    assert histories[-1]["deal_stage_id"] == deal.stage.id
    assert [each["end_date"] for each in histories[:-1]] == [each["start_date"] for each in histories[1:]]
    assert histories[-1]["end_date"] is None
    assert sum(item["total"] for item in body["deal_products"]) == pytest.approx(deal.amount_total)


async def test_only_a_single_deal_tells_its_history_pipeline_and_the_note_about_its_loss(client: CrmClient) -> None:
    listed = (await client.v1("deals", limit=1)).body["deals"][0]
    single = (await client.v1(f"deals/{listed['id']}")).body
    assert single.keys() - listed.keys() >= {"deal_stage_histories", "deal_lost_note", "deal_pipeline", "deal_source"}


async def test_status_is_told_by_win_and_hold(crm: Simulator, client: CrmClient) -> None:
    deal = a_deal(crm)
    told = []
    for deed in (crm.team.pause, crm.team.reopen, crm.team.win):
        deed(deal)
        body = (await client.v1(f"deals/{deal.id}")).body
        told.append((body["win"], body["hold"]))
    assert told == [(None, True), (None, None), (True, None)]


async def test_what_is_read_is_the_living_team(crm: Simulator, client: CrmClient) -> None:
    deal = a_deal(crm)
    crm.team.edit(deal, "renamed", name="Padaria Ação")
    assert (await client.v1(f"deals/{deal.id}")).body["name"] == "Padaria Ação"
    crm.team.delete(deal)
    assert (await client.v1(f"deals/{deal.id}")).body == MISSING


async def test_a_deals_contacts_are_found(crm: Simulator, client: CrmClient) -> None:
    deal = a_deal(crm)
    body = (await client.v1(f"deals/{deal.id}/contacts")).body
    assert body["total"] == len(deal.contacts) > 0
    assert [each["id"] for each in body["contacts"]] == [each.id for each in deal.contacts]
    first = body["contacts"][0]
    assert (first["title"], first["organization_id"]) == (deal.contacts[0].job_title, deal.organization.id)  # type: ignore[union-attr]  # an open deal has one
    assert first["emails"] == [{"email": deal.contacts[0].emails[0]}]


async def test_birthdays_are_objects_and_may_lack_a_year(crm: Simulator, client: CrmClient) -> None:
    contact: Contact = next(iter(crm.team.contacts.values()))
    for text, day in (("0000-04-21", {"day": 21, "month": 4, "year": None}), (None, None)):
        contact.birthday = text
        assert (await client.v1(f"contacts/{contact.id}")).body["birthday"] == day


async def test_a_contact_tells_the_custom_fields_it_has(crm: Simulator, client: CrmClient) -> None:
    contact = next(iter(crm.team.contacts.values()))
    field = next(field for field in crm.team.fields.values() if field.of == "contact")
    assert (await client.v1(f"contacts/{contact.id}")).body["contact_custom_fields"] == []
    crm.team.edit(contact, "known better", custom={field.id: "Compras"})
    [told] = (await client.v1(f"contacts/{contact.id}")).body["contact_custom_fields"]
    assert (told["value"], told["custom_field"]["label"]) == ("Compras", field.name)


async def test_a_company_has_the_names_of_v1(crm: Simulator, client: CrmClient) -> None:
    company = next(iter(crm.team.organizations.values()))
    body = (await client.v1(f"organizations/{company.id}")).body
    assert (body["name"], body["url"], body["user"]["id"]) == (company.name, company.url, company.owner.id)


async def test_a_task_has_the_names_of_v1(crm: Simulator, client: CrmClient) -> None:
    task: Task = crm._life._maker.task(a_deal(crm))
    body = (await client.v1(f"tasks/{task.id}")).body
    assert (body["subject"], body["notes"], body["done"]) == (task.name, task.description, False)
    assert body["date"][11:16] == body["hour"]
    assert body["user_ids"] == [task.deal.user.id]
    assert body["deal"]["id"] == body["deal_id"] == task.deal.id
    crm.team.complete(task, task.owners[0])
    assert (await client.v1(f"tasks/{task.id}")).body["done"] is True
    assert [each["id"] for each in (await client.v1("tasks", deal_id=task.deal.id)).body["tasks"]] == [task.id]
    assert (await client.v1("tasks", done="false")).body["tasks"] == []


async def test_lists_of_the_account(crm: Simulator, client: CrmClient) -> None:
    team = crm.team
    for name, count in (
        ("users", len(team.users)),
        ("deal_lost_reasons", len(team.lost_reasons)),
        ("deal_sources", len(team.sources)),
        ("campaigns", len(team.campaigns)),
        ("products", len(team.products)),
    ):
        body = (await client.v1(name)).body
        assert body[name][0]["name"]
        assert (len(body[name]), body["total"], body["has_more"]) == (count, count, False)
    assert (await client.v1("users")).body["users"][0].keys() >= {"id", "name", "email", "active"}


async def test_pipelines_and_custom_fields_are_bare_lists(crm: Simulator, client: CrmClient) -> None:
    pipelines = (await client.v1("deal_pipelines")).body
    assert [each["name"] for each in pipelines] == ["Funil Padrão", "Parcerias"]
    first = next(iter(crm.team.pipelines.values()))
    assert [each["id"] for each in pipelines[0]["deal_stages"]] == [stage.id for stage in first.stages]
    fields = (await client.v1("custom_fields", **{"for": "deal"})).body
    assert [each["label"] for each in fields] == ["Whatsapp", "Segmento", "Unidade"]
    assert len((await client.v1("custom_fields")).body) == len(crm.team.fields)


async def test_stages_may_be_asked_for_by_their_pipeline(crm: Simulator, client: CrmClient) -> None:
    second = list(crm.team.pipelines.values())[1]
    body = (await client.v1("deal_stages", deal_pipeline_id=second.id)).body
    assert [each["id"] for each in body["deal_stages"]] == [stage.id for stage in second.stages]
    assert {each["deal_pipeline"]["id"] for each in body["deal_stages"]} == {second.id}
    assert (await client.v1("deal_stages")).body["total"] == 9


# pages


async def test_pages_are_cut_and_say_whether_others_follow(crm: Simulator, client: CrmClient) -> None:
    ongoing = [deal.id for deal in crm.team.deals.values() if deal.status == "ongoing"]
    total, found, page = len(ongoing), list[str](), 0
    more = True
    while more:
        page += 1
        body = (await client.v1("deals", page=page, limit=3)).body
        assert body["total"] == total
        found += [deal["id"] for deal in body["deals"]]
        more = body["has_more"]
    assert page == -(-total // 3)
    assert sorted(found) == sorted(ongoing)
    assert (await client.v1("deals", page=page + 1, limit=3)).body["deals"] == []


async def test_a_page_has_20_rows_by_default_and_200_at_most(client: CrmClient) -> None:
    async with simulated(deals=230) as crm:
        client.url = crm.url
        assert len((await client.v1("deals")).body["deals"]) == 20
        assert len((await client.v1("deals", limit=999)).body["deals"]) == 200


async def test_only_the_first_records_of_a_list_can_be_reached(client: CrmClient) -> None:
    async with simulated(deals=30, ceiling=25) as crm:
        client.url = crm.url
        second = (await client.v1("deals", page=2)).body
        assert (len(second["deals"]), second["has_more"]) == (5, False)
        assert second["total"] == sum(deal.open for deal in crm.team.deals.values()) == 30
        assert (await client.v1("deals", page=3)).body["deals"] == []


async def test_the_ceiling_is_ten_thousand_records() -> None:
    async with simulated(deals=10_020) as crm, CrmClient(crm.url) as client:
        last = (await client.v1("deals", page=50, limit=200)).body
        assert (len(last["deals"]), last["has_more"]) == (200, False)
        assert last["total"] > 10_000
        assert (await client.v1("deals", page=51, limit=200)).body["deals"] == []


async def test_a_cursor_leads_on(crm: Simulator, client: CrmClient) -> None:
    first = (await client.v1("deals", limit=3)).body
    second = (await client.v1("deals", limit=3, next_page=first["next_page"])).body
    plain = (await client.v1("deals", limit=3, page=2)).body
    assert [deal["id"] for deal in second["deals"]] == [deal["id"] for deal in plain["deals"]]
    assert second["total"] == first["total"] == sum(deal.open for deal in crm.team.deals.values())
    answer = await client.v1("deals", next_page="3")
    assert (answer.status, answer.body) == (400, {"error": "Invalid next page param format"})
    assert (await client.v1("deals", next_page="i-1,s-00")).body["deals"] == []


@pytest.mark.parametrize("query", [{"page": 0}, {"limit": "x"}, {"order": "chance"}])
async def test_a_parameter_that_cannot_be_read_is_a_400_with_a_text(client: CrmClient, query: dict[str, Any]) -> None:
    answer = await client.v1("deals", **query)
    assert answer.status == 400
    assert isinstance(answer.body["errors"], str)


async def test_pages_of_other_lists_are_counted_from_one_as_well(client: CrmClient) -> None:
    answer = await client.v1("contacts", page=0)
    assert (answer.status, answer.body) == (400, {"errors": "Invalid parameter: page and limit are positive numbers"})


# the person behind the token


async def test_a_seller_sees_their_own_deals_and_tasks_alone(crm: Simulator, client: CrmClient) -> None:
    seller = next(iter(crm.team.users.values()))
    others = next(deal for deal in crm.team.deals.values() if deal.user is not seller)
    task = crm._life._maker.task(others)
    client.token = "simulated-seller"
    deals = (await client.v1("deals", limit=200)).body["deals"]
    assert {deal["user"]["id"] for deal in deals} <= {seller.id}
    for path in (f"deals/{others.id}", f"deals/{others.id}/contacts", f"tasks/{task.id}"):
        assert (await client.v1(path)).body == MISSING
    assert (await client.v1("tasks")).body["total"] == sum(each.owners == [seller] for each in crm.team.tasks.values())
    assert (await client.v1("token/check")).body["email"] == seller.email


async def test_a_seller_may_not_manage_webhooks(client: CrmClient, sink: Sink) -> None:
    client.token = "simulated-seller"
    for method, path in (("GET", "webhooks"), ("POST", "webhooks"), ("GET", "webhooks/1"), ("DELETE", "webhooks/1")):
        answer = await client.v1(path, method, webhook(sink.url) if method == "POST" else None)
        assert (answer.status, answer.body) == (403, {"error": "forbidden"})


# webhooks


async def test_a_webhook_is_made_read_changed_and_deleted(client: CrmClient, sink: Sink) -> None:
    made = await client.v1("webhooks", "POST", webhook(sink.url))
    assert made.status == 201
    assert list(made.body) == [
        *("uuid", "event_type", "http_method", "url", "status", "source", "name", "created_via"),
        *("platform_account_id", "event_identifiers", "include_relations", "created_at", "updated_at"),
    ]
    assert (made.body["status"], made.body["source"]) == ("active", "CRM")
    path = f"webhooks/{made.body['uuid']}"
    assert (await client.v1("webhooks")).body == {"webhooks": [made.body]}
    assert (await client.v1(path)).body == made.body
    changed = await client.v1(path, "PUT", webhook(sink.url, "crm_deal_created"))
    assert (changed.status, changed.body["event_type"]) == (200, "crm_deal_created")
    assert (await client.v1(path, "DELETE")).status == 204
    assert (await client.v1("webhooks")).body == {"webhooks": []}
    assert (await client.v1(path, "DELETE")).body == MISSING


@pytest.mark.parametrize("event", EVENTS)
async def test_every_event_can_be_registered(client: CrmClient, sink: Sink, event: str) -> None:
    assert (await client.v1("webhooks", "POST", webhook(sink.url, event))).status == 201


async def test_refusals_have_three_shapes_and_a_text(client: CrmClient, sink: Sink) -> None:
    good = webhook(sink.url)
    for body, errors in (
        ({**good, "url": ""}, {"url": ["can't be blank"]}),
        ({**good, "url": None}, {"url": ["can't be blank"]}),
        (
            {**good, "event_type": "crm_deal_lost"},
            {"event_type": [{"error_type": "INVALID_OPTION", "error_message": "is not included in the list"}]},
        ),
        ({**good, "url": "nowhere"}, {"url": [{"error_type": "INVALID_FORMAT", "error_message": "is invalid"}]}),
    ):
        answer = await client.v1("webhooks", "POST", body)
        assert (answer.status, answer.body) == (422, {"errors": errors})
    answer = await client.v1("webhooks", "POST", {**good, "http_method": "GET"})
    assert (answer.status, answer.body["errors"][0]["error_type"]) == (422, "INVALID_OPTION")
    answer = await client.v1("webhooks", "POST", [1])
    assert (answer.status, answer.body) == (400, {"errors": "The body is no object"})
    answer = await client.ask("POST", "/api/v1/webhooks?token=simulated", data=b"{")
    assert (answer.status, answer.body) == (400, {"errors": "The body is no valid JSON"})


async def test_the_same_event_and_address_twice_is_refused(client: CrmClient, sink: Sink) -> None:
    first = await client.v1("webhooks", "POST", webhook(sink.url))
    answer = await client.v1("webhooks", "POST", webhook(sink.url))
    assert (answer.status, answer.body["errors"]["url"][0]["error_type"]) == (422, "ALREADY_TAKEN")
    assert (await client.v1(f"webhooks/{first.body['uuid']}", "PUT", webhook(sink.url))).status == 200


async def test_an_address_that_does_not_answer_the_probe_is_refused(client: CrmClient, sink: Sink) -> None:
    sink.status = 404
    answer = await client.v1("webhooks", "POST", webhook(sink.url))
    assert (answer.status, answer.body["errors"]["url"][0]["error_type"]) == (422, "INVALID_URL")
    assert sink.got[0].body == ""
    assert (await client.v1("webhooks")).body == {"webhooks": []}


async def test_without_the_probe_any_address_will_do(client: CrmClient) -> None:
    async with simulated(probe=False) as crm:
        client.url = crm.url
        assert (await client.v1("webhooks", "POST", webhook("http://127.0.0.1:9/"))).status == 201


async def test_a_suspended_webhook_is_active_again_after_a_put(crm: Simulator, client: CrmClient, sink: Sink) -> None:
    made = (await client.v1("webhooks", "POST", webhook(sink.url))).body
    crm.registry.suspend(sink.url)
    assert (await client.v1(f"webhooks/{made['uuid']}")).body["status"] == "suspended"
    changed = await client.v1(f"webhooks/{made['uuid']}", "PUT", webhook(sink.url))
    assert changed.body["status"] == "active"
    crm.team.pause(a_deal(crm))
    await crm.advance(timedelta(seconds=2))
    assert sink.got[-1].body["event_name"] == "crm_deal_updated"
