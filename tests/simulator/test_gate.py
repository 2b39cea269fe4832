"""What both APIs share: 120 requests a minute, and errors now and then."""

from collections import Counter
from datetime import timedelta

from bridge.simulator.telling import Note
from tests.support.crm import CrmClient, simulated


async def test_both_apis_share_120_requests_a_minute() -> None:
    async with simulated(requests_per_minute=120) as crm, CrmClient(crm.url) as client:
        await client.login()
        for number in range(60):
            assert (await client.v1("token/check")).status == 200
            assert (await client.v2(f"users/{number}")).status == 404
        first = await client.v1("token/check")
        assert (first.status, first.body["errors"]["error_type"]) == (429, "RATE_LIMIT_EXCEDDED")
        second = await client.v2("users")
        assert (second.status, second.headers["Retry-After"]) == (429, "60")
        assert second.body["errors"][0].keys() == {"detail"}
        await crm.advance(timedelta(seconds=20))
        assert (await client.v2("users")).headers["Retry-After"] == "40"
        await crm.advance(timedelta(seconds=40))
        assert (await client.v1("token/check")).status == 200


async def test_getting_tokens_is_not_counted() -> None:
    async with simulated(requests_per_minute=1) as crm, CrmClient(crm.url) as client:
        await client.login()
        await client.login()
        assert (await client.v2("users")).status == 200
        assert (await client.v2("users")).status == 429


async def test_a_share_of_the_requests_breaks_in_html() -> None:
    async with simulated(errors=0.3) as crm, CrmClient(crm.url) as client:
        answers = [await client.v1("token/check") for _ in range(100)]
    counted = Counter(answer.status for answer in answers)
    assert set(counted) == {200, 500}
    assert 15 < counted[500] < 45
    broken = next(answer for answer in answers if answer.status == 500)
    assert broken.headers["Content-Type"] == "text/html; charset=utf-8"
    assert broken.body.startswith("<!DOCTYPE html>")


async def test_each_request_is_told_without_its_token() -> None:
    notes: list[Note] = []
    async with simulated(notes) as crm, CrmClient(crm.url) as client:
        await client.v1("token/check")
        await client.login()
        await client.v2("nothing")
    told = [(note.what, note.name, note.text, note.tone) for note in notes]
    assert told == [("api v1", "GET", "/token/check 200", ""), ("api v2", "GET", "/nothing 404", "bad")]
