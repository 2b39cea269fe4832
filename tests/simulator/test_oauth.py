"""OAuth2: codes and refresh tokens serve once, access tokens end after two hours of virtual time."""

from datetime import timedelta

import pytest
from yarl import URL

from bridge.simulator import Simulator
from tests.support.crm import BACK, CrmClient

HOUR = timedelta(hours=1)


async def test_consent_leads_straight_back_with_a_code_and_the_state(client: CrmClient) -> None:
    asked = {"client_id": "simulated", "redirect_uri": BACK, "response_type": "code", "state": "s 1"}
    answer = await client.ask("GET", "/oauth/authorize", params=asked)
    back = URL(answer.headers["Location"])
    assert (answer.status, str(back.with_query(None))) == (302, BACK)
    assert back.query["state"] == "s 1"
    assert back.query["code"]


@pytest.mark.parametrize("asked", [{"client_id": "other", "redirect_uri": BACK}, {"client_id": "simulated"}])
async def test_an_unknown_application_or_way_back_is_refused(client: CrmClient, asked: dict[str, str]) -> None:
    answer = await client.ask("GET", "/oauth/authorize", params=asked)
    assert (answer.status, answer.body["error"]) == (400, "invalid_request")


async def test_a_code_serves_once(client: CrmClient) -> None:
    code = await client.code()
    first = await client.tokens(grant_type="authorization_code", code=code)
    assert first.body.keys() == {"access_token", "expires_in", "refresh_token", "token_type"}
    assert first.body["expires_in"] == 7200
    again = await client.tokens(grant_type="authorization_code", code=code)
    assert (again.status, again.body["error"]) == (400, "invalid_grant")


async def test_a_code_ends_after_ten_minutes(crm: Simulator, client: CrmClient) -> None:
    code = await client.code()
    await crm.advance(timedelta(minutes=11))
    assert (await client.tokens(grant_type="authorization_code", code=code)).body["error"] == "invalid_grant"


async def test_an_access_token_ends_after_two_hours(crm: Simulator, client: CrmClient) -> None:
    await crm.advance(1.9 * HOUR)
    assert (await client.v2("users")).status == 200
    await crm.advance(0.1 * HOUR)
    assert (await client.v2("users")).status == 401


async def test_a_refresh_token_is_dead_once_it_was_used(client: CrmClient) -> None:
    first = await client.tokens(grant_type="refresh_token", refresh_token=client.refresh)
    assert first.status == 200
    assert first.body["refresh_token"] != client.refresh
    again = await client.tokens(grant_type="refresh_token", refresh_token=client.refresh)
    assert (again.status, again.body["error"]) == (400, "invalid_grant")
    client.access = first.body["access_token"]
    assert (await client.v2("users")).status == 200
    assert (await client.tokens(grant_type="refresh_token", refresh_token=first.body["refresh_token"])).status == 200


async def test_a_refresh_token_dies_after_fourteen_unused_days(crm: Simulator, client: CrmClient) -> None:
    crm.clock.move_to(crm.clock.now() + timedelta(days=15))
    answer = await client.tokens(grant_type="refresh_token", refresh_token=client.refresh)
    assert (answer.status, answer.body["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("wrong", [{"client_secret": "wrong"}, {"client_id": "other"}])
async def test_an_application_has_to_prove_itself(client: CrmClient, wrong: dict[str, str]) -> None:
    answer = await client.tokens(grant_type="refresh_token", refresh_token=client.refresh, **wrong)
    assert (answer.status, answer.body["error"]) == (401, "invalid_client")
    assert (await client.tokens(grant_type="refresh_token", refresh_token=client.refresh)).status == 200


async def test_tokens_of_one_application_are_none_of_another(client: CrmClient) -> None:
    answer = await client.tokens(grant_type="refresh_token", refresh_token=client.refresh, client_id="marketing")
    assert answer.body["error"] == "invalid_grant"


async def test_other_grants_are_refused(client: CrmClient) -> None:
    answer = await client.tokens(grant_type="password")
    assert (answer.status, answer.body["error"]) == (400, "unsupported_grant_type")
