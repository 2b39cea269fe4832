import asyncio
import hashlib
import hmac
import json
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from bridge.component.client import Client
from bridge.errors import AccessRefused, DeliveryFailure, TransientFailure
from bridge.model import JsonObject, Message
from bridge.options import Secret, StandIns, secrets_in
from bridge.targets.http import HttpOptions, HttpService
from bridge.targets.http.signing import Sign
from tests.contracts.target import DELIVERY, KnownLinks
from tests.support.contract_server import SPECS, ContractServer, Seen, answer
from tests.support.oauth_server import CLIENT, SECRET, OAuthServer

FIRST: Final = "whsec_" + b64encode(b"f" * 24).decode()
SECOND: Final = "whsec_" + b64encode(b"s" * 64).decode()


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client() as opened:
        yield opened


@pytest.fixture
async def server() -> AsyncIterator[ContractServer]:
    async with ContractServer() as running:
        yield running


@pytest.fixture
async def oauth() -> AsyncIterator[OAuthServer]:
    async with OAuthServer() as running:
        yield running


def service(url: str, **options: object) -> HttpService:
    return HttpService("billing", HttpOptions.model_validate({"url": url, **options}))


async def sent(target: HttpService, server: ContractServer, client: Client, **content: Any) -> Seen:
    await target.send(Message(DELIVERY, "deal:1", target.prepare(content)), KnownLinks(), client)
    return server.seen[-1]


# OAuth 2.0, against a server that oauthlib runs


def credentials(oauth: OAuthServer, **more: object) -> JsonObject:
    return {"oauth2": {"token_url": oauth.url, "client_id": CLIENT, "client_secret": SECRET, **more}}  # type: ignore[dict-item]


@pytest.mark.parametrize("way", ["client_secret_basic", "client_secret_post"])
async def test_a_client_gets_a_token_by_either_way_and_shares_it(
    server: ContractServer, client: Client, oauth: OAuthServer, way: str
) -> None:
    oauth.clients.form_allowed = way == "client_secret_post"
    target = service(server.url, auth=credentials(oauth, client_auth=way, scope="invoices.write"))
    await asyncio.gather(*(sent(target, server, client, body={"number": number}) for number in range(20)))
    assert len(oauth.given) == 1
    assert {seen.headers["authorization"] for seen in server.seen} == {f"Bearer {oauth.given[0]}"}
    assert oauth.forms[0]["scope"] == "invoices.write"
    assert ("client_secret" in oauth.forms[0]) is (way == "client_secret_post")


async def test_the_audience_is_asked_for(server: ContractServer, client: Client, oauth: OAuthServer) -> None:
    await sent(service(server.url, auth=credentials(oauth, audience="https://api.example")), server, client)
    assert oauth.forms[0]["audience"] == "https://api.example"


async def test_a_token_that_is_refused_is_replaced_once(
    server: ContractServer, client: Client, oauth: OAuthServer
) -> None:
    target = service(server.url, auth=credentials(oauth))
    await sent(target, server, client)
    server.script(answer(401), answer(200))
    await sent(target, server, client)
    assert [seen.headers["authorization"] for seen in server.seen[1:]] == [f"Bearer {each}" for each in oauth.given]
    server.script(answer(401))
    with pytest.raises(AccessRefused, match="answered 401"):
        await sent(target, server, client)
    assert len(server.seen) == 5


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"client_secret": "hush-wrong"}, "invalid_client"), ({"scope": "everything"}, "invalid_scope")],
)
async def test_a_client_that_is_refused_stops_the_target_in_the_servers_words(
    server: ContractServer, client: Client, oauth: OAuthServer, wrong: JsonObject, words: str
) -> None:
    with pytest.raises(AccessRefused, match=f"^no access token: {words}") as caught:
        await sent(service(server.url, auth=credentials(oauth, **wrong)), server, client)
    assert "hush" not in str(caught.value)
    assert server.seen == []


async def test_a_token_stays_with_the_targets_own_host(client: Client, oauth: OAuthServer) -> None:
    async with ContractServer() as other:
        seen = await sent(service("https://own.example", auth=credentials(oauth)), other, client, url=f"{other.url}/x")
    assert "authorization" not in seen.headers
    assert oauth.forms == []


async def test_a_token_of_the_moment_is_blotted_out(server: ContractServer, client: Client, oauth: OAuthServer) -> None:
    target = service(server.url, auth=credentials(oauth))
    await sent(target, server, client)
    before = target.redactor
    assert oauth.given[0] not in before.redacted(f"you sent {oauth.given[0]}")
    assert target.redactor is before, "it is prepared once for as long as the token is the same"
    server.script(answer(401), answer(200))
    await sent(target, server, client)
    assert len(oauth.given) == 2
    assert oauth.given[1] not in target.redactor.redacted(f"you sent {oauth.given[1]}")


async def test_a_probe_bears_a_token_too(server: ContractServer, client: Client, oauth: OAuthServer) -> None:
    target = service(server.url, auth=credentials(oauth), probe="/me")
    assert await target.probe(client) == "answers 200 to GET /me"
    assert server.seen[0].headers["authorization"] == f"Bearer {oauth.given[0]}"


def test_id_and_secret_as_a_header_has_them_are_a_secret_too() -> None:
    options = {
        "url": "https://own.example",
        "auth": {"oauth2": {"token_url": "https://t.example", "client_id": "a b", "client_secret": "hush:1"}},
    }
    assert b64encode(b"a+b:hush%3A1").decode() in secrets_in(HttpOptions.model_validate(options))


# HMAC


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512", "md5"])
@pytest.mark.parametrize(
    ("content", "body"),
    [
        ({"body": {"name": "São", "total": 1.5}}, '{"name":"São","total":1.5}'.encode()),
        ({"form": {"a": "x&y"}}, b"a=x%26y"),
        ({"text": "olá"}, "olá".encode()),
        ({"xml": "<a>é</a>"}, "<a>é</a>".encode()),
        ({"method": "DELETE"}, b""),
    ],
)
async def test_the_bytes_that_are_sent_are_signed(
    server: ContractServer, client: Client, algorithm: str, content: JsonObject, body: bytes
) -> None:
    keys = {"secret": "segredo é", "header": "X-Signature", "algorithm": algorithm}
    seen = await sent(service(server.url, sign={"hmac": keys}), server, client, **content)
    assert seen.body == body
    assert seen.headers["x-signature"] == hmac.new("segredo é".encode(), body, algorithm).hexdigest()


async def test_a_signature_is_written_as_the_service_wants_it(server: ContractServer, client: Client) -> None:
    keys = {"secret": "s", "header": "X-Hub", "encoding": "base64", "prefix": "sha256="}
    seen = await sent(service(server.url, sign={"hmac": keys}), server, client, text="x")
    digest = b64encode(hmac.new(b"s", b"x", hashlib.sha256).digest()).decode()
    assert seen.headers["x-hub"] == f"sha256={digest}"


@pytest.mark.parametrize("sign", [{"hmac": {"secret": "s", "header": "X-Hub"}}, {"standard_webhooks": FIRST}])
async def test_nothing_is_signed_for_another_host(client: Client, sign: JsonObject) -> None:
    async with ContractServer() as other:
        seen = await sent(service("https://own.example", sign=sign), other, client, url=f"{other.url}/x", body={})
    assert not {"x-hub", "webhook-signature"} & seen.headers.keys()


# Standard Webhooks


def test_the_signature_is_that_of_the_published_vector() -> None:
    (vector,) = json.loads((SPECS / "standard-webhooks" / "vectors.json").read_text("utf-8"))["vectors"]
    sign = Sign(standard_webhooks=[Secret(vector["secret"])])
    headers = sign.headers(vector["webhook-id"], vector["payload"].encode(), int(vector["webhook-timestamp"]))
    assert headers == {name: vector[name] for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}


@pytest.mark.parametrize("secret", [FIRST, SECOND])
async def test_receivers_with_either_secret_know_a_webhook_while_one_replaces_the_other(
    server: ContractServer, client: Client, secret: str
) -> None:
    target = service(server.url, sign={"standard_webhooks": [FIRST, SECOND]})
    seen = await sent(target, server, client, body={"deal": "São João"})
    assert Webhook(secret).verify(seen.body, seen.headers) == {"deal": "São João"}
    stranger = "whsec_" + b64encode(b"x" * 24).decode()
    with pytest.raises(WebhookVerificationError):
        Webhook(stranger).verify(seen.body, seen.headers)


async def test_every_attempt_has_the_same_id_and_its_own_moment(
    server: ContractServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = service(server.url, sign={"standard_webhooks": FIRST})
    server.script(answer(503), answer(200))
    moments = [datetime(2026, 11, 24, 12, tzinfo=UTC), datetime(2026, 11, 24, 13, tzinfo=UTC)]
    times = iter([moment.timestamp() + 0.9 for moment in moments])
    monkeypatch.setattr("bridge.targets.http.target.time.time", lambda: next(times))
    with pytest.raises(TransientFailure):
        await sent(target, server, client, body={"deal": 1})
    await sent(target, server, client, body={"deal": 1})
    assert [seen.headers["webhook-id"] for seen in server.seen] == [DELIVERY, DELIVERY]
    assert [int(seen.headers["webhook-timestamp"]) for seen in server.seen] == [each.timestamp() for each in moments]
    assert len({seen.headers["webhook-signature"] for seen in server.seen}) == 2


@given(st.binary(min_size=24, max_size=64), st.text())
def test_any_body_under_any_secret_is_known_by_the_library(key: bytes, text: str) -> None:
    secret = "whsec_" + b64encode(key).decode()
    body = json.dumps({"text": text}).encode()
    moment = int(datetime.now(UTC).timestamp())
    assert Webhook(secret).verify(body, Sign(standard_webhooks=[Secret(secret)]).headers("msg_1", body, moment)) == {
        "text": text
    }


# Certificates


class Authority:
    """A certificate authority, a service and a client that have certificates of it, and their files."""

    def __init__(self, folder: Path) -> None:
        self.ca, self.folder = trustme.CA(), folder
        self.own, self.other = self.ca.issue_cert("bridge.example"), self.ca.issue_cert("other.example")
        self.ca.cert_pem.write_to_path(str(folder / "ca.pem"))
        self.own.private_key_pem.write_to_path(str(folder / "own.key"))
        self.other.private_key_pem.write_to_path(str(folder / "other.key"))
        for blob in self.own.cert_chain_pems:
            blob.write_to_path(str(folder / "own.pem"), append=True)
        self.own.private_key_and_cert_chain_pem.write_to_path(str(folder / "both.pem"))

    def file(self, name: str) -> str:
        return str(self.folder / name)

    def server(self) -> ssl.SSLContext:
        """Return a context that asks for a client certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert("127.0.0.1").configure_cert(context)
        context.verify_mode = ssl.CERT_REQUIRED
        self.ca.configure_trust(context)
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.mark.parametrize("files", [("own.pem", "own.key"), ("both.pem", None)])
async def test_a_service_that_wants_a_certificate_gets_ours(
    client: Client, authority: Authority, files: tuple[str, str | None]
) -> None:
    certificate, key = files
    tls = {"certificate_file": authority.file(certificate), "ca_file": authority.file("ca.pem")}
    async with ContractServer(tls=authority.server()) as server:
        target = service(server.url, tls=tls | ({"key_file": authority.file(key)} if key else {}), probe="/health")
        assert (await sent(target, server, client, body={})).body == b"{}"
        assert await target.probe(client) == "answers 200 to GET /health"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_without_a_certificate_nothing_gets_through(
    client: Client, authority: Authority, version: ssl.TLSVersion
) -> None:
    context = authority.server()
    context.maximum_version = version
    async with ContractServer(tls=context) as server:
        target = service(server.url, tls={"ca_file": authority.file("ca.pem")})
        with pytest.raises(DeliveryFailure, match=r"no connection|before the answer"):
            await sent(target, server, client, body={})
        assert server.seen == []


async def test_without_the_authority_the_service_is_not_trusted(client: Client, authority: Authority) -> None:
    async with ContractServer(tls=authority.server()) as server:
        with pytest.raises(TransientFailure, match="not trusted"):
            await sent(service(server.url), server, client, body={})


async def test_an_encrypted_key_is_opened_with_its_password(client: Client, authority: Authority) -> None:
    tls = {
        "certificate_file": authority.file("own.pem"),
        "key_file": encrypted(authority, "hush-opens"),
        "key_password": "hush-opens",
        "ca_file": authority.file("ca.pem"),
    }
    async with ContractServer(tls=authority.server()) as server:
        await sent(service(server.url, tls=tls), server, client, body={})


def encrypted(authority: Authority, password: str) -> str:
    """Write the client's key anew, under a password."""
    key = serialization.load_pem_private_key(authority.own.private_key_pem.bytes(), None)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password.encode()),
    )
    (authority.folder / "locked.key").write_bytes(pem)
    return authority.file("locked.key")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"certificate_file": "own.pem", "key_file": "other.key"}, "does not belong to the certificate"),
        ({"certificate_file": "own.pem"}, "must hold a certificate and its private key"),
        ({"certificate_file": "own.key", "key_file": "own.key"}, "must hold a certificate and its private key"),
        ({"certificate_file": "own.pem", "key_file": "locked.key"}, "is encrypted"),
        ({"certificate_file": "own.pem", "key_file": "locked.key", "key_password": "hush-wrong"}, "is encrypted"),
        ({"certificate_file": "none.pem"}, '"certificate_file" cannot be read: No such file'),
        ({"certificate_file": "own.pem", "key_file": "none.key"}, '"key_file" cannot be read: No such file'),
        ({"ca_file": "none.pem"}, '"ca_file" cannot be read: No such file'),
        ({"ca_file": "."}, '"ca_file" cannot be read'),
        ({"ca_file": "own.key"}, '"ca_file" holds no certificates'),
        ({"key_file": "own.key", "ca_file": "ca.pem"}, 'go with "certificate_file"'),
        ({}, 'needs "certificate_file", "ca_file" or both'),
    ],
)
def test_a_certificate_that_cannot_work_is_refused_at_load(
    authority: Authority, files: dict[str, str], words: str
) -> None:
    encrypted(authority, "hush-opens")
    tls = {key: value if key == "key_password" else authority.file(value) for key, value in files.items()}
    with pytest.raises(ValidationError, match=words) as caught:
        HttpOptions.model_validate({"url": "https://own.example", "tls": tls})
    assert "hush" not in str(caught.value)


# What cannot work, and what stands in


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"auth": {"oauth2": {"token_url": "nonsense", "client_id": "a", "client_secret": "hush"}}}, "whole address"),
        ({"auth": {"oauth2": {"token_url": "https://t.example", "client_id": "a"}}}, "client_secret"),
        (
            {"auth": {"bearer": "hush", "oauth2": {"token_url": "https://t", "client_id": "a", "client_secret": "b"}}},
            "exactly one",
        ),
        ({"sign": {}}, '"hmac" or "standard_webhooks"'),
        ({"sign": {"hmac": {"secret": "hush", "header": "X A"}}}, "no name of a header"),
        ({"sign": {"hmac": {"secret": "hush", "header": "X-A", "prefix": "a\n"}}}, "line break"),
        ({"sign": {"hmac": {"secret": "hush", "header": "X-A", "algorithm": "crc32"}}}, "algorithm"),
        ({"sign": {"standard_webhooks": []}}, "standard_webhooks"),
        ({"sign": {"standard_webhooks": "whsec_hush"}}, "24 to 64 bytes"),
        ({"sign": {"standard_webhooks": "whsec_%%%"}}, "24 to 64 bytes"),
        ({"sign": {"standard_webhooks": [FIRST, "whsec_aHVzaA=="]}}, "24 to 64 bytes"),
    ],
)
def test_credentials_that_cannot_work_are_refused_without_telling_them(options: JsonObject, words: str) -> None:
    with pytest.raises(ValidationError, match=words) as caught:
        HttpOptions.model_validate({"url": "https://own.example"} | options)
    assert "hush" not in str(caught.value)
    assert FIRST not in str(caught.value)


def test_where_there_are_no_secrets_and_no_files_others_stand_in() -> None:
    value = StandIns.value("SOME_NAME")
    tls = {"certificate_file": value, "ca_file": value}
    target = service("https://own.example", sign={"standard_webhooks": [value]}, tls=tls)
    assert target.options.sign is not None
    assert target.options.sign.headers("msg_1", b"", 1)["webhook-signature"].startswith("v1,")
