"""API v2: Bearer tokens, ``data`` around everything, pages by links, filters, webhooks."""

from datetime import timedelta
from typing import Any

import pytest
from yarl import URL

from bridge.simulator import Simulator
from bridge.simulator.entities import Deal
from tests.support.crm import CrmClient, simulated
from tests.support.sink import Sink

MISSING = {"errors": [{"detail": "Resource not found"}]}
LISTS = (
    *("deals", "contacts", "organizations", "tasks", "products", "users", "pipelines", "lost_reasons", "sources"),
    *("campaigns", "segments", "custom_fields"),
)


def a_deal(crm: Simulator) -> Deal:
    return next(deal for deal in crm.team.deals.values() if deal.status == "ongoing")


def webhook(url: str, event: str = "crm_deal_updated", **more: Any) -> dict[str, Any]:
    return {"event_name": event, "http_method": "POST", "url": url, **more}


async def rows(client: CrmClient, path: str, **query: Any) -> list[Any]:
    """Follow the links of a list to its end."""
    answer = await client.v2(path, query=query)
    found = list(answer.body["data"])
    while following := answer.body["links"]["next"]:
        url = URL(following)
        answer = await client.v2(url.path.removeprefix("/crm/v2/"), query=url.query)
        found += answer.body["data"]
    return found


@pytest.mark.parametrize("token", ["", "wrong"])
async def test_without_an_access_token_nothing_is_answered(client: CrmClient, token: str) -> None:
    client.access = token
    for path in ("deals", "webhooks", "nothing"):
        answer = await client.v2(path)
        assert answer.status == 401
        assert answer.body["errors"][0].keys() == {"detail"}


async def test_the_token_of_v1_and_other_schemes_are_none_of_v2(client: CrmClient) -> None:
    access, client.access = client.access, client.token
    assert (await client.v2("deals")).status == 401
    for scheme, status in (("Basic", 401), ("bearer", 200)):
        answer = await client.ask("GET", "/crm/v2/deals", headers={"Authorization": f"{scheme} {access}"})
        assert answer.status == status


async def test_the_token_of_an_application_of_marketing_is_none_of_the_crm(client: CrmClient) -> None:
    await client.login("marketing")
    assert (await client.v2("deals")).status == 401


async def test_what_is_not_there_has_the_shape_of_v2(client: CrmClient) -> None:
    paths = [*(f"{name}/0" for name in LISTS), "pipelines/0/stages", "webhooks/0", "nothing", "nothing/0", "a/b/c/d"]
    for path in paths:
        answer = await client.v2(path)
        assert (answer.status, answer.body) == (404, MISSING), path
    assert (await client.v2("deals", "POST", {"name": "x"})).body == MISSING, "only webhooks are written"


# reads


async def test_each_list_has_all_of_the_team_and_each_row_is_found_by_its_id(crm: Simulator, client: CrmClient) -> None:
    crm._life._maker.task(a_deal(crm))
    team = crm.team
    for name in LISTS:
        holder: dict[str, Any] = getattr(team, {"custom_fields": "fields"}.get(name, name))
        found = await rows(client, name)
        assert {row["id"] for row in found} == set(holder), name
        assert found[0] == (await client.v2(f"{name}/{found[0]['id']}")).body["data"]
        assert found[0]["updated_at"].endswith("Z")


async def test_a_deal_has_the_names_of_v2(crm: Simulator, client: CrmClient) -> None:
    deal, reason = a_deal(crm), next(iter(crm.team.lost_reasons.values()))
    field = next(field for field in crm.team.fields.values() if field.name == "Segmento")
    crm.team.edit(deal, "filled", custom={field.id: "Varejo"}, source=None)
    crm.team.lose(deal, reason)
    body = (await client.v2(f"deals/{deal.id}")).body["data"]
    assert (body["status"], body["lost_reason_id"], body["source_id"]) == ("lost", reason.id, "")
    prices = (body["one_time_price"], body["recurrence_price"], body["total_price"])
    assert prices == (deal.amount_unique, deal.amount_monthly, deal.amount_total)
    assert (body["owner_id"], body["stage_id"], body["pipeline_id"]) == (deal.user.id, deal.stage.id, deal.pipeline.id)
    assert body["contact_ids"] == [contact.id for contact in deal.contacts]
    assert body["custom_fields"][field.slug] == "Varejo"
    assert deal.closed_at
    assert body["closed_at"] == deal.closed_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def test_other_entities_are_written_as_their_webhooks_with_times_in_utc(
    crm: Simulator, client: CrmClient
) -> None:
    task = crm._life._maker.task(a_deal(crm))
    body = (await client.v2(f"tasks/{task.id}")).body["data"]
    assert body.keys() == crm.team.document_of(task).keys()
    assert (body["deal_id"], body["owner_ids"], body["completed_at"]) == (task.deal.id, [task.deal.user.id], None)
    assert body["due_date"] == task.due_date.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def test_stages_are_below_their_pipeline(crm: Simulator, client: CrmClient) -> None:
    for pipeline in crm.team.pipelines.values():
        found = await rows(client, f"pipelines/{pipeline.id}/stages")
        assert [(row["id"], row["order"]) for row in found] == [(stage.id, stage.order) for stage in pipeline.stages]


# pages and filters


async def test_pages_are_followed_by_links_and_nothing_tells_the_total(crm: Simulator, client: CrmClient) -> None:
    first = (await client.v2("deals", query={"page[size]": 3})).body
    assert first.keys() == {"data", "links"}
    assert len(first["data"]) == 3
    assert first["links"]["next"].startswith(f"{crm.url}/crm/v2/deals?")
    found = await rows(client, "deals", **{"page[size]": 3})
    assert sorted(row["id"] for row in found) == sorted(crm.team.deals)


async def test_a_page_has_20_rows_by_default_and_200_at_most(client: CrmClient) -> None:
    async with simulated(deals=30) as crm:
        client.url = crm.url
        await client.login()
        assert len((await client.v2("deals")).body["data"]) == 20
        assert (await client.v2("deals", query={"page[size]": 200})).status == 200
        for query in ({"page[size]": 201}, {"page[size]": 0}, {"page[number]": "x"}):
            assert (await client.v2("deals", query=query)).status == 400


async def test_links_lead_no_further_than_the_ceiling(client: CrmClient) -> None:
    async with simulated(deals=30, ceiling=25) as crm:
        client.url = crm.url
        await client.login()
        assert len(await rows(client, "deals")) == 25
        stages = [stage for pipeline in crm.team.pipelines.values() for stage in pipeline.stages]
        slices = [await rows(client, "deals", filter=f"stage_id:{stage.id}") for stage in stages]
        assert {row["id"] for found in slices for row in found} == set(crm.team.deals), "sliced, all of it is reached"


async def test_only_what_was_touched_since_is_listed(crm: Simulator, client: CrmClient) -> None:
    await crm.advance(timedelta(minutes=1))
    since = crm.clock.now()
    deal = a_deal(crm)
    crm.team.win(deal)
    task = crm._life._maker.task(a_deal(crm))
    await crm.advance(timedelta(seconds=1))
    later = f"updated_at:>={since.isoformat().replace('+00:00', 'Z')}"
    assert [row["id"] for row in await rows(client, "deals", filter=later)] == [deal.id]
    assert task.id in {row["id"] for row in await rows(client, "tasks", filter=later)}
    assert await rows(client, "deals", filter=f"{later} status:lost") == []


async def test_a_filter_that_cannot_be_read_is_a_400_and_a_time_with_a_space_breaks_it(client: CrmClient) -> None:
    assert (await client.v2("deals", query={"filter": "status"})).status == 400
    answer = await client.v2("deals", query={"filter": 'updated_at:>="2026-07-22 13:11:07"'})
    assert (answer.status, answer.headers["Content-Type"]) == (500, "text/html; charset=utf-8")
    assert "<html>" in answer.body


async def test_tasks_may_be_such_as_cannot_be_filtered_by_time(client: CrmClient) -> None:
    async with simulated(tasks_by_time=False) as crm:
        client.url = crm.url
        await client.login()
        assert (await client.v2("tasks", query={"filter": "updated_at:>2026-01-01"})).status == 500
        assert (await client.v2("tasks", query={"filter": "status:open"})).status == 200
        assert (await client.v2("deals", query={"filter": "updated_at:>2026-01-01"})).status == 200


async def test_lists_may_be_unsteady_so_that_a_sweep_misses_some_and_doubles_others(client: CrmClient) -> None:
    async with simulated(deals=60, unsteady=0.3) as crm:
        client.url = crm.url
        await client.login()
        found = [row["id"] for row in await rows(client, "deals", **{"page[size]": 10})]
        assert len(found) == len(crm.team.deals)
        assert len(set(found)) < len(found)


# webhooks


async def test_a_webhook_is_made_read_changed_and_deleted(client: CrmClient, sink: Sink) -> None:
    made = await client.v2("webhooks", "POST", webhook(sink.url, name="bridge"))
    assert made.status == 201
    data = made.body["data"]
    assert list(data) == ["id", "name", "event_name", "http_method", "url", "status", "created_at", "updated_at"]
    assert (data["status"], data["name"]) == ("active", "bridge")
    path = f"webhooks/{data['id']}"
    assert (await client.v2("webhooks")).body["data"] == [data]
    assert (await client.v2(path)).body["data"] == data
    changed = await client.v2(path, "PUT", {"event_name": "crm_deal_created"})
    assert (changed.status, changed.body["data"]["event_name"]) == (200, "crm_deal_created")
    assert (changed.body["data"]["url"], changed.body["data"]["name"]) == (sink.url, "bridge"), "the rest stays"
    assert (await client.v2(path, "DELETE")).status == 204
    assert (await client.v2("webhooks")).body["data"] == []


async def test_the_same_event_and_address_twice_is_a_422(client: CrmClient, sink: Sink) -> None:
    assert (await client.v2("webhooks", "POST", webhook(sink.url))).status == 201
    answer = await client.v2("webhooks", "POST", webhook(sink.url))
    assert (answer.status, answer.body) == (422, {"errors": [{"detail": "url has already been taken"}]})


@pytest.mark.parametrize(
    "wrong",
    [
        {"event_name": "crm_deal_lost"},
        {"url": ""},
        {"url": "nowhere"},
        {"http_method": "GET"},
        {"auth_header": "X-Key"},
        {"status": "asleep"},
    ],
)
async def test_what_is_wrong_with_a_webhook_is_a_422(client: CrmClient, sink: Sink, wrong: dict[str, Any]) -> None:
    answer = await client.v2("webhooks", "POST", {**webhook(sink.url), **wrong})
    assert answer.status == 422
    assert next(iter(wrong)).split("_")[0] in answer.body["errors"][0]["detail"]


async def test_a_body_without_data_is_a_400(client: CrmClient) -> None:
    assert (await client.v2("webhooks", "POST")).status == 400
    headers = {"Authorization": f"Bearer {client.access}"}
    assert (await client.ask("POST", "/crm/v2/webhooks", headers=headers, json={"url": "x"})).status == 400


async def test_what_proves_who_posts_goes_along_and_is_never_shown(
    crm: Simulator, client: CrmClient, sink: Sink
) -> None:
    made = await client.v2("webhooks", "POST", webhook(sink.url, auth_header="X-Key", auth_key="s3cret"))
    assert "s3cret" not in str(made.body)
    assert sink.got[-1].headers["X-Key"] == "s3cret", "the probe has it too"
    await client.v2(f"webhooks/{made.body['data']['id']}", "PUT", {"name": "renamed"})
    crm.team.pause(a_deal(crm))
    await crm.advance(timedelta(seconds=2))
    assert (sink.got[-1].body["event_name"], sink.got[-1].headers["X-Key"]) == ("crm_deal_updated", "s3cret")


async def test_an_address_that_does_not_answer_the_probe_is_refused(client: CrmClient, sink: Sink) -> None:
    sink.status = 500
    answer = await client.v2("webhooks", "POST", webhook(sink.url))
    assert (answer.status, answer.body["errors"][0]["detail"]) == (422, "url did not answer with a success status")


async def test_a_suspended_webhook_is_active_again_after_a_put_and_may_be_switched_off(
    crm: Simulator, client: CrmClient, sink: Sink
) -> None:
    made = (await client.v2("webhooks", "POST", webhook(sink.url))).body["data"]
    crm.registry.suspend(sink.url)
    path = f"webhooks/{made['id']}"
    assert (await client.v2(path)).body["data"]["status"] == "suspended"
    assert (await client.v2(path, "PUT", {"status": "active"})).body["data"]["status"] == "active"
    assert (await client.v2(path, "PUT", {"status": "inactive"})).body["data"]["status"] == "inactive"
    posted = len(sink.got)
    crm.team.pause(a_deal(crm))
    await crm.advance(timedelta(seconds=2))
    assert len(sink.got) == posted


async def test_both_apis_manage_the_same_webhooks(client: CrmClient, sink: Sink) -> None:
    made = (await client.v2("webhooks", "POST", webhook(sink.url))).body["data"]
    assert [each["uuid"] for each in (await client.v1("webhooks")).body["webhooks"]] == [made["id"]]
