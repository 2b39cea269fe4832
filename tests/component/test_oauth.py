import asyncio
from collections.abc import AsyncIterator

import pytest

from bridge.component.client import Client
from bridge.component.oauth import AccessTokens
from bridge.errors import AccessRefused, TransientFailure
from tests.support.contract_server import ContractServer, answer, reset, says


@pytest.fixture
async def server() -> AsyncIterator[ContractServer]:
    async with ContractServer(says({"access_token": "first", "expires_in": 3600})) as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client() as opened:
        yield opened


def tokens(server: ContractServer) -> AccessTokens:
    return AccessTokens(f"{server.url}/token", lambda: {"grant_type": "refresh_token", "refresh_token": "r&d=1"}, 5)


async def test_many_who_need_a_token_at_once_ask_for_it_once(server: ContractServer, client: Client) -> None:
    known = tokens(server)
    given = await asyncio.gather(*(known.get(client) for _ in range(50)))
    assert {secret.reveal() for secret in given} == {"first"}
    (asked,) = server.seen
    assert (asked.method, asked.target) == ("POST", "/token")
    assert asked.form == {"grant_type": "refresh_token", "refresh_token": "r&d=1"}


async def test_a_token_that_is_about_to_end_is_replaced(server: ContractServer, client: Client) -> None:
    server.script(says({"access_token": "short", "expires_in": 59}), says({"access_token": "next", "expires_in": 3600}))
    known = tokens(server)
    assert [(await known.get(client)).reveal() for _ in range(3)] == ["short", "next", "next"]


async def test_a_token_whose_end_is_not_told_is_kept_for_a_while(server: ContractServer, client: Client) -> None:
    server.script(says({"access_token": "a"}), says({"access_token": "b"}))
    known = tokens(server)
    assert [(await known.get(client)).reveal() for _ in range(2)] == ["a", "a"]


async def test_a_token_that_was_refused_is_asked_for_anew_once(server: ContractServer, client: Client) -> None:
    server.script(says({"access_token": "a", "expires_in": 99}), says({"access_token": "b", "expires_in": 99}))
    known = tokens(server)
    first = await known.get(client)
    known.forget(first)
    second = await known.get(client)
    known.forget(first)  # told late, by another message that had the first
    assert [second.reveal(), (await known.get(client)).reveal()] == ["b", "b"]


async def test_refused_credentials_stop_the_target_in_the_words_of_the_service(
    server: ContractServer, client: Client
) -> None:
    server.script(says({"error": "invalid_grant", "error_description": "Token has been revoked."}, 400))
    with pytest.raises(AccessRefused, match=r"^no access token: invalid_grant: Token has been revoked\.$"):
        await tokens(server).get(client)


@pytest.mark.parametrize("step", [answer(400, b"<html>"), answer(403, b""), answer(404, b"{}")])
async def test_a_refusal_without_words_is_told_by_its_status(
    server: ContractServer, client: Client, step: object
) -> None:
    server.script(step)  # type: ignore[arg-type]
    with pytest.raises(AccessRefused, match=r"^no access token: answered 4\d\d"):
        await tokens(server).get(client)


@pytest.mark.parametrize(
    "step",
    [
        reset(),
        answer(503),
        says({}),
        says([1]),
        answer(200, b"ok"),
        says({"access_token": 7}),
        says({"access_token": "a\nb"}),
    ],
)
async def test_without_a_token_nothing_of_the_message_has_left(
    server: ContractServer, client: Client, step: object
) -> None:
    server.script(step)  # type: ignore[arg-type]
    with pytest.raises(TransientFailure):
        await tokens(server).get(client)
