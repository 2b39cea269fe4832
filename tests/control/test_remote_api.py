"""The operations by a source's API, over the socket."""

import inspect
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bridge.control.client import DaemonClient
from bridge.control.operations import Operations
from bridge.control.remote_client import RemoteClient
from bridge.control.remotes import RemoteOperations
from bridge.errors import RequestRefusedError
from tests.support.control import serving
from tests.support.crm import BACK, CrmClient, simulated
from tests.support.remotes import Office, office
from tests.support.shop import Shop


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Office]:
    (tmp_path / "office").mkdir()
    async with simulated(client_secret="s3cret") as crm, office(crm, tmp_path / "office", "v2") as made:
        yield made


@pytest.fixture
async def client(shop: Shop, there: Office) -> AsyncIterator[RemoteClient]:
    data = shop.folder / "data"
    async with serving(Operations(shop.store, there.host), data), DaemonClient(data) as client:
        yield client.remote


def test_the_client_has_the_methods_of_the_operations() -> None:
    def methods(of: type) -> dict[str, inspect.Signature]:
        named = inspect.getmembers(of, inspect.isfunction)
        return {name: inspect.signature(method) for name, method in named if not name.startswith("_")}

    assert methods(RemoteClient) == methods(RemoteOperations)


async def test_the_client_gives_the_answers_of_the_operations(there: Office, client: RemoteClient) -> None:
    here = there.operations
    assert await client.sync(dry_run=True) == await here.sync(dry_run=True)
    assert not list(there.crm.registry)
    assert [each["act"] for each in (await client.sync("crm"))["steps"]] == ["create"] * 3
    assert await client.webhooks() == await here.webhooks()
    assert (await client.status())["sources"][0]["webhooks"] == {"active": 3}
    assert await client.sign_in_page("crm", BACK, "s") == await here.sign_in_page("crm", BACK, "s")
    async with CrmClient(there.crm.url) as browser:
        assert (await client.sign_in(None, await browser.code(), BACK))["source"] == "crm"
    [first, *others] = list(there.crm.registry)
    assert await client.webhook(None, first.id) == await here.webhook(None, first.id)
    assert await client.update(None, [first.id], dry_run=True) == await here.update(None, [first.id], dry_run=True)
    assert [each["act"] for each in (await client.update("crm", []))["steps"]] == ["update"] * 3
    assert await client.delete(None, [first.id], dry_run=True) == await here.delete(None, [first.id], dry_run=True)
    await client.delete(None, [first.id])
    assert list(there.crm.registry) == others
    await client.delete("crm", [])
    assert not list(there.crm.registry)


async def test_a_refusal_comes_with_its_code(client: RemoteClient) -> None:
    with pytest.raises(RequestRefusedError, match="did you mean") as refusal:
        await client.sync("crn")
    assert refusal.value.code == "unknown-source"


async def test_what_the_crm_refuses_is_told_in_its_words(client: RemoteClient) -> None:
    with pytest.raises(RequestRefusedError, match="bridge crm login"):
        await client.sign_in("crm", "wrong", BACK)


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("sync", b"{", "the body is no JSON"),
        ("sync", b"[]", "the body must be an object"),
        ("sync", b'{"sorce": "crm"}', 'unknown key "sorce"'),
        ("sync", b'{"source": 1}', "source, a text, is needed"),
        ("sync", b'{"source": " "}', "source, a text, is needed"),
        ("login", b'{"source": "crm", "code": "x"}', "redirect, a text, is needed"),
        ("delete", b'{"ids": "x"}', "ids, a list of texts, is needed"),
        ("delete", b'{"ids": [1]}', "ids, a list of texts, is needed"),
    ],
)
@pytest.mark.usefixtures("client")
async def test_what_is_asked_for_wrongly_is_refused(shop: Shop, path: str, body: bytes, told: str) -> None:
    connector = aiohttp.UnixConnector(str(shop.folder / "data/bridge.sock"))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.post(f"http://bridge/api/remote/{path}", data=body) as answer,
    ):
        said: Any = await answer.json()
        assert answer.status == 422
        assert told in str(said)
