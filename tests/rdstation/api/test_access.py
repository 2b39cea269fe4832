"""How the API is opened: what is traded for tokens, and that no refresh token is ever used twice or lost."""

import asyncio
import errno
import time
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from yarl import URL

from bridge.component.http import Answer, Request
from bridge.errors import RemoteRefusedError, RemoteUnavailableError, TransientFailure
from bridge.options import Secret
from bridge.rdstation.api import keeping
from bridge.rdstation.api.access import OAuthAccess, TokenAccess
from bridge.rdstation.api.keeping import TokenFile, Tokens
from tests.rdstation.api.conftest import V2, Crm, answer

ASKED = Request("GET", "http://crm.test/crm/v2/deals?page=1")


def tokens(number: int, seconds: float = 7200) -> Answer:
    return answer(body={"access_token": f"a{number}", "refresh_token": f"r{number}", "expires_in": seconds})


def form(request: Request) -> dict[str, list[str]]:
    assert request.body
    return parse_qs(request.body.decode())


@pytest.fixture
def file(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "crm.tokens", Secret("s3cret"))


def kept(file: TokenFile, number: int, seconds: float) -> None:
    file.save(Tokens(Secret(f"a{number}"), Secret(f"r{number}"), time.time() + seconds))


async def test_a_persons_token_goes_into_each_address(crm: Crm) -> None:
    access = TokenAccess(Secret("t0ken"))
    assert (await access.open(ASKED, crm)).url == f"{ASKED.url}&token=t0ken"
    assert not await access.renew(ASKED, crm)


async def test_an_application_that_nobody_connected_says_how(file: TokenFile, crm: Crm) -> None:
    with pytest.raises(RemoteRefusedError, match="bridge crm login"):
        await OAuthAccess(V2, file).open(ASKED, crm)


async def test_a_token_that_lasts_is_used_over_restarts(file: TokenFile, crm: Crm) -> None:
    kept(file, 1, 3600)
    access = OAuthAccess(V2, file)
    for _ in range(2):
        assert (await access.open(ASKED, crm)).headers["Authorization"] == "Bearer a1"
    assert not crm.asked


async def test_a_token_that_ran_out_is_replaced_once_however_many_wait(file: TokenFile, crm: Crm) -> None:
    kept(file, 1, -1)
    crm.script.append(tokens(2))
    access = OAuthAccess(V2, file)
    opened = await asyncio.gather(*(access.open(ASKED, crm) for _ in range(5)))
    assert {request.headers["Authorization"] for request in opened} == {"Bearer a2"}
    (asked,) = crm.asked
    assert (asked.method, asked.url) == ("POST", "http://crm.test/oauth2/token")
    assert form(asked) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["r1"],
        "client_id": ["app"],
        "client_secret": ["s3cret"],
    }


async def test_the_new_refresh_token_is_kept_before_anything_is_asked_with_it(file: TokenFile, crm: Crm) -> None:
    kept(file, 1, -1)
    crm.script.append(tokens(2))
    await OAuthAccess(V2, file).open(ASKED, crm)
    found = file.load()
    assert found
    assert found.refresh == Secret("r2")


async def test_who_stops_waiting_loses_no_token(file: TokenFile) -> None:
    kept(file, 1, -1)
    asked, answered = asyncio.Event(), asyncio.Event()

    class Slow(Crm):
        async def call(self, request: Request) -> Answer:
            asked.set()
            await answered.wait()
            return tokens(2)

    opening = asyncio.ensure_future(OAuthAccess(V2, file).open(ASKED, Slow()))
    await asked.wait()
    opening.cancel()
    await asyncio.sleep(0)
    answered.set()
    with pytest.raises(asyncio.CancelledError):
        await opening
    found = file.load()
    assert found
    assert found.refresh == Secret("r2")


async def test_a_full_disk_loses_no_token(file: TokenFile, crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(file, 1, -1)
    crm.script.append(tokens(2))
    access = OAuthAccess(V2, file)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(keeping, "put_private", full)
        for _ in range(2):
            with pytest.raises(RemoteUnavailableError, match="cannot be written"):
                await access.open(ASKED, crm)
    assert (await access.open(ASKED, crm)).headers["Authorization"] == "Bearer a2"
    assert len(crm.asked) == 1
    found = file.load()
    assert found
    assert found.refresh == Secret("r2")


async def test_a_refused_token_is_replaced_unless_another_did_so_meanwhile(file: TokenFile, crm: Crm) -> None:
    kept(file, 1, 3600)
    crm.script.append(tokens(2))
    access = OAuthAccess(V2, file)
    refused = await access.open(ASKED, crm)
    assert await access.renew(refused, crm)
    assert await access.renew(refused, crm)
    assert len(crm.asked) == 1
    assert (await access.open(ASKED, crm)).headers["Authorization"] == "Bearer a2"


async def test_signing_in_trades_the_code(file: TokenFile, crm: Crm) -> None:
    crm.script.append(answer(body={"access_token": "a1", "refresh_token": "r1"}))
    access = OAuthAccess(V2, file)
    page = URL(access.sign_in_page("http://127.0.0.1:9/callback", "st4te"))
    assert page.path == "/oauth/authorize"
    assert dict(page.query) == {
        "response_type": "code",
        "client_id": "app",
        "redirect_uri": "http://127.0.0.1:9/callback",
        "state": "st4te",
    }
    await access.sign_in("c0de", "http://127.0.0.1:9/callback", crm)
    assert form(crm.asked[0])["grant_type"] == ["authorization_code"]
    assert (form(crm.asked[0])["code"], form(crm.asked[0])["redirect_uri"]) == (
        ["c0de"],
        ["http://127.0.0.1:9/callback"],
    )
    assert (await access.open(ASKED, crm)).headers["Authorization"] == "Bearer a1"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (answer(400, {"error": "invalid_grant", "error_description": "used before"}), r"\(used before\).*login"),
        (answer(401, {"error": "invalid_client"}), r"\(invalid_client\)"),
        (answer(403, b"<html>"), r"\(403\)"),
    ],
)
async def test_a_refused_refresh_asks_to_sign_in_again(file: TokenFile, crm: Crm, told: Answer, words: str) -> None:
    kept(file, 1, -1)
    crm.script.append(told)
    with pytest.raises(RemoteRefusedError, match=words):
        await OAuthAccess(V2, file).open(ASKED, crm)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (answer(503), "cannot answer now"),
        (TransientFailure("no connection"), "cannot be reached for an access token: no connection"),
        (answer(200, b"<html>"), "without an access token"),
        (answer(200, [1]), "without an access token"),
        (answer(200, {"access_token": "a\nb", "refresh_token": "r"}), "without an access token"),
    ],
)
async def test_a_refresh_that_fails_keeps_what_there_is(
    file: TokenFile, crm: Crm, told: Answer | TransientFailure, words: str
) -> None:
    kept(file, 1, -1)
    crm.script.append(told)
    with pytest.raises(RemoteUnavailableError, match=words):
        await OAuthAccess(V2, file).open(ASKED, crm)
    found = file.load()
    assert found
    assert found.refresh == Secret("r1")


async def test_what_the_crm_repeats_of_a_token_is_not_told(file: TokenFile, crm: Crm) -> None:
    file.save(Tokens(Secret("access-of-old"), Secret("refresh-of-old"), 0))
    access = OAuthAccess(V2, file)
    crm.script.append(answer(400, {"error": "refused: refresh-of-old"}))
    with pytest.raises(RemoteRefusedError, match=r"\(refused: \*\*\*\)"):
        await access.open(ASKED, crm)
    crm.script.append(answer(503, {"error": "refused: c0de-of-old"}))
    with pytest.raises(RemoteUnavailableError, match=r"refused: \*\*\*"):
        await access.sign_in("c0de-of-old", "http://127.0.0.1:9/callback", crm)
