import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from yarl import URL

from bridge.component import AnyTarget
from bridge.component.client import Client
from bridge.config import load
from bridge.errors import AccessRefused, PermanentFailure, RenderError
from bridge.model import JsonObject, Limits, Message, Rate
from bridge.options import secrets_in
from bridge.targets.http import HttpAction, HttpOptions, HttpService
from bridge.targets.http.address import encoded, joined, literal_origin
from tests.contracts.http_target import HttpTargetContract
from tests.contracts.target import DELIVERY, KnownLinks
from tests.support.contract_server import ContractServer, Seen, answer

RULES = """
version: 1
sources:
  crm: {{type: rdstation_crm}}
targets:
  web: {{type: http, url: "https://example.com/"}}
routes:
  - name: any
    on: deal.lost
    deliver:
      - {{to: web, url: "{url}", body: {{}}}}
"""


class TestHttpContract(HttpTargetContract):
    type_name = "http"
    content: ClassVar[JsonObject] = {"body": {"customer": "Acme", "total": 11050.5}, "path": "new"}
    seen_by_people = '"customer": "Acme"'
    secrets = ("hush-path", "hush-query", "hush-header", "hush-bearer", "hush-signing")

    def build(self, url: str, timeout: float = 15) -> AnyTarget:
        options = {
            "url": f"{url}/hush-path",
            "query": {"key": "hush-query"},
            "headers": {"X-Key": "hush-header"},
            "auth": {"bearer": "hush-bearer"},
            "sign": {"hmac": {"secret": "hush-signing", "header": "X-Signature"}},
            "timeout": timeout,
        }
        return HttpService("sales", HttpOptions.model_validate(options))

    def filled(self, text: str) -> JsonObject:
        return {"body": {"customer": text}}


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client() as opened:
        yield opened


@pytest.fixture
async def server() -> AsyncIterator[ContractServer]:
    async with ContractServer() as running:
        yield running


def service(url: str, **options: object) -> HttpService:
    return HttpService("billing", HttpOptions.model_validate({"url": url, **options}))


async def sent(target: HttpService, server: ContractServer, client: Client, **content: Any) -> Seen:
    """Send as the bridge does: the entry is prepared at load, and rendering leaves these values as they are."""
    await target.send(Message(DELIVERY, "deal:1", target.prepare(content)), KnownLinks(), client)
    return server.seen[-1]


async def test_a_body_is_json_with_its_types(server: ContractServer, client: Client) -> None:
    seen = await sent(service(server.url), server, client, body={"total": 11050.5, "won": True, "name": "São"})
    assert seen.method == "POST"
    assert seen.headers["content-type"] == "application/json"
    assert seen.json == {"total": 11050.5, "won": True, "name": "São"}


async def test_a_null_body_is_json_too(server: ContractServer, client: Client) -> None:
    assert (await sent(service(server.url), server, client, body=None)).body == b"null"


async def test_text_is_sent_as_it_is(server: ContractServer, client: Client) -> None:
    seen = await sent(service(server.url), server, client, text="São <b>")
    assert seen.headers["content-type"] == "text/plain; charset=utf-8"
    assert seen.body.decode() == "São <b>"


async def test_a_form_is_encoded(server: ContractServer, client: Client) -> None:
    seen = await sent(service(server.url), server, client, form={"a": "x&y=z", "b": [1, 2.5], "c": None, "d": True})
    assert seen.headers["content-type"] == "application/x-www-form-urlencoded"
    assert seen.body == b"a=x%26y%3Dz&b=1&b=2.5&d=true"


async def test_without_content_nothing_is_said_about_its_type(server: ContractServer, client: Client) -> None:
    seen = await sent(service(server.url, method="GET"), server, client)
    assert (seen.method, seen.body) == ("GET", b"")
    assert "content-type" not in seen.headers


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_an_entry_may_name_any_method(server: ContractServer, client: Client, method: str) -> None:
    assert (await sent(service(server.url), server, client, method=method)).method == method


async def test_path_and_query_join_those_of_the_target(server: ContractServer, client: Client) -> None:
    target = service(f"{server.url}/api/?v=1&tag=old", query={"key": "k"})
    seen = await sent(
        target, server, client, path="/deals/65?x=1", query={"tag": ["a", "b c"], "none": None, "y": True}
    )
    assert seen.target.startswith("/api/deals/65?")
    assert sorted(URL(seen.target).query.items()) == [
        ("key", "k"),
        ("tag", "a"),
        ("tag", "b c"),
        ("v", "1"),
        ("x", "1"),
        ("y", "true"),
    ]


async def test_the_idempotency_key_is_the_deliverys_id(server: ContractServer, client: Client) -> None:
    assert (await sent(service(server.url), server, client)).headers["idempotency-key"] == DELIVERY


async def test_the_idempotency_header_can_be_renamed_or_left_out(server: ContractServer, client: Client) -> None:
    renamed = await sent(service(server.url, idempotency_header="X-Request-Id"), server, client)
    without = await sent(service(server.url, idempotency_header=None), server, client)
    assert renamed.headers["x-request-id"] == DELIVERY
    assert "idempotency-key" not in renamed.headers
    assert DELIVERY not in without.headers.values()


async def test_the_entrys_headers_win_whatever_their_case(server: ContractServer, client: Client) -> None:
    target = service(server.url, headers={"X-Kind": "target", "X-Own": "1"})
    seen = await sent(target, server, client, text="<a/>", headers={"x-kind": "entry", "content-type": "text/xml"})
    assert (seen.headers["x-kind"], seen.headers["x-own"]) == ("entry", "1")
    assert seen.headers["content-type"] == "text/xml"


async def test_credentials_travel_as_the_service_wants_them(server: ContractServer, client: Client) -> None:
    async def headers(auth: object) -> Seen:
        return await sent(service(server.url, auth=auth), server, client)

    basic = base64.b64encode("ana:sênha:1".encode()).decode()
    assert (await headers({"bearer": "t"})).headers["authorization"] == "Bearer t"
    assert (await headers({"basic": {"username": "ana", "password": "sênha:1"}})).headers["authorization"] == (
        f"Basic {basic}"
    )
    assert (await headers({"api_key": {"header": "X-Key", "value": "k"}})).headers["x-key"] == "k"
    assert (await headers({"api_key": {"query": "key", "value": "k&"}})).target == "/?key=k%26"


def test_the_pair_of_a_basic_authentication_is_a_secret_too() -> None:
    auth = HttpOptions.model_validate(
        {"url": "https://own.example", "auth": {"basic": {"username": "ana", "password": "hush"}}}
    )
    assert base64.b64encode(b"ana:hush").decode() in secrets_in(auth)


async def test_an_address_written_in_the_rules_may_be_this_machine(server: ContractServer, client: Client) -> None:
    seen = await sent(service("https://elsewhere.example"), server, client, url=f"{server.url}/hook?a=1")
    assert seen.target == "/hook?a=1"


async def test_a_host_from_data_may_not_be_this_machine(server: ContractServer, client: Client) -> None:
    target = service(server.url)
    content = target.prepare({"url": "{{ deal.custom.Callback }}"}) | {"url": f"{server.url}/hook"}
    with pytest.raises(PermanentFailure, match="not allowed"):
        await target.send(Message(DELIVERY, "deal:1", content), KnownLinks(), client)
    assert server.seen == []


@pytest.mark.parametrize("allowed", [True, ["127.0.0.0/8"]])
async def test_private_addresses_can_be_allowed(server: ContractServer, client: Client, allowed: object) -> None:
    target = service("https://elsewhere.example", allow_private=allowed)
    content = target.prepare({"url": "{{ x }}"}) | {"url": f"{server.url}/hook"}
    await target.send(Message(DELIVERY, "deal:1", content), KnownLinks(), client)
    assert server.seen[0].target == "/hook"


def test_allowing_private_addresses_does_not_make_a_name_from_data_trusted() -> None:
    target = service("https://own.example", allow_private=True)
    content = target.prepare({"url": "{{ x }}"}) | {"url": "https://from.data.example/"}
    assert not target._destination(HttpAction.model_validate(content)).trusted


async def test_credentials_do_not_follow_to_another_host(client: Client) -> None:
    own = service("https://own.example", auth={"bearer": "hush"}, headers={"X-Own": "hush"}, query={"k": "hush"})
    async with ContractServer() as other:
        seen = await sent(own, other, client, url=f"{other.url}/x", headers={"X-Entry": "1"})
    assert "hush" not in f"{seen}"
    assert seen.headers["x-entry"] == "1"
    assert seen.headers["idempotency-key"] == DELIVERY


async def test_credentials_go_along_to_another_path_of_the_same_host(server: ContractServer, client: Client) -> None:
    target = service(f"{server.url}/a", auth={"bearer": "hush"})
    seen = await sent(target, server, client, url=f"{server.url}/b")
    assert (seen.target, seen.headers["authorization"]) == ("/b", "Bearer hush")


async def test_credentials_do_not_go_where_data_points_even_if_that_is_home(
    server: ContractServer, client: Client
) -> None:
    target = service(server.url, auth={"bearer": "hush"}, allow_private=True)
    content = target.prepare({"url": "{{ x }}"}) | {"url": f"{server.url}/b"}
    await target.send(Message(DELIVERY, "deal:1", content), KnownLinks(), client)
    assert "authorization" not in server.seen[0].headers


def test_an_entry_cannot_declare_its_own_host_trusted() -> None:
    content = service("https://own.example").prepare({"url": "https://{{ x }}/", "host_in_rules": True})
    assert content["host_in_rules"] is False


@pytest.mark.parametrize(
    ("template", "literal"),
    [
        ("https://example.com/{{ x }}", True),
        ("https://example.com:8443/{{ x }}", True),
        ("HTTP://127.0.0.1?{{ x }}", True),
        ("https://example.com", True),
        ("https://example.com{{ x }}", False),
        ("https://{{ x }}.example.com/", False),
        ("https://example.com:{{ port }}/", False),
        ("https://user@{{ x }}/", False),
        ("https://example.com\\{{ x }}/", False),
        ("{{ x }}", False),
        ("{# #}https://example.com/", False),
        ("{% if x %}https://a.example{% endif %}/", False),
        (" https://example.com/", False),
        ("https://example.com:99999/{{ x }}", False),
        ("ftp://example.com/", False),
    ],
)
def test_a_host_is_literal_only_if_nothing_rendered_can_change_it(template: str, *, literal: bool) -> None:
    assert (literal_origin(template) is not None) is literal


@given(st.text())
def test_no_data_in_the_path_of_a_literal_host_changes_the_host(data: str) -> None:
    url = URL(f"https://example.com/deals/{encoded(data)}")
    assert (url.scheme, url.host, url.port) == ("https", "example.com", 443)


@given(st.text(min_size=1))
def test_any_data_stays_within_its_segment_of_the_path(data: str) -> None:
    if data in {".", ".."}:
        return
    address = joined("https://example.com/api?v=1", f"deals/{encoded(data)}/notes", {})
    assert URL(address).parts == ("/", "api", "deals", data, "notes")
    assert URL(address).query_string == "v=1"


@pytest.mark.parametrize("path", ["..", "a/../b", "./a", "a/..", "a/%2E%2e/b", "..?x=1", "a\\..\\b"])
def test_a_path_cannot_climb(path: str) -> None:
    with pytest.raises(ValidationError, match="segment"):
        HttpAction(path=path)


@pytest.mark.parametrize(
    "url", ["https://example.com/a/../b", "https://example.com/..?x=1", "https://example.com/a/%2e%2E#x"]
)
def test_an_address_cannot_climb_either(url: str) -> None:
    with pytest.raises(ValidationError, match="segment"):
        HttpAction(url=url)


def test_dots_behind_the_path_of_an_address_climb_nowhere() -> None:
    url = "https://example.com/a?back=/../b"
    assert HttpAction(url=url).url == url


def address_of(tmp_path: Path, template: str, name: str) -> object:
    """Return what ``url`` becomes for a deal of this name."""
    rules = tmp_path / "routes.yaml"
    rules.write_text(RULES.format(url=template), encoding="utf-8")
    (route,) = load(rules, {}).ruleset.routes
    return route.deliver[0].content.render({"deal": {"name": name}})["url"]


ESCAPING = ["http://x/../../../admin/delete?force=1#", "https://example.com/", "a/b?c", "..%2f", "x@evil.example"]


@pytest.mark.parametrize("name", ESCAPING)
@pytest.mark.parametrize(
    "template",
    [
        "https://example.com/customers/{{ deal.name }}/notes",
        "https://example.com/customers/{% if true %}{{ deal.name }}{% endif %}/notes",
        "{{ 'https://example.com/customers/' ~ deal.name ~ '/notes' }}",
        "{{ 'https://example.com/customers/' }}{{ deal.name }}/notes",
    ],
)
def test_data_in_an_address_that_the_rules_begin_stays_in_its_segment(tmp_path: Path, template: str, name: str) -> None:
    expected = f"https://example.com/customers/{encoded(name)}/notes"
    assert address_of(tmp_path, template, name) == expected


@pytest.mark.parametrize("name", ["..", "."])
def test_data_cannot_climb_in_an_address_that_the_rules_begin(tmp_path: Path, name: str) -> None:
    with pytest.raises(RenderError, match="segment"):
        address_of(tmp_path, "https://example.com/customers/{{ deal.name }}/notes", name)


def test_an_event_may_bring_a_whole_address(tmp_path: Path) -> None:
    callback = "https://hooks.example.com/a/b?c=%2F&d=1"
    assert address_of(tmp_path, "{{ deal.name }}", callback) == callback
    assert address_of(tmp_path, "{{ deal.name | default('https://fallback.example/') }}", callback) == callback


def test_an_event_cannot_bring_the_beginning_of_an_address(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="whole address"):
        address_of(tmp_path, "{{ deal.name }}/notes", "https://hooks.example.com")


@given(st.text())
def test_any_data_makes_a_sound_header(data: str) -> None:
    escaped = HttpService.escapes["headers"](data)
    assert HttpAction(headers={"X-Name": escaped}).headers["X-Name"] == escaped


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"headers": {"X-Name": "a\r\nX-Injected: 1"}}, "line break"),
        ({"headers": {"X Name": "a"}}, "no name of a header"),
        ({"headers": {"Host": "evil.example"}}, "cannot be set"),
        ({"headers": {"content-length": "3"}}, "cannot be set"),
        ({"url": "nonsense"}, "whole address"),
        ({"url": "ftp://example.com/"}, "whole address"),
        ({"url": "https://ana:hush@example.com/"}, "user name"),
        ({"url": "http://x:99999/"}, "valid address"),
        ({"url": "https://example.com/", "path": "x"}, '"url" or "path"'),
        ({"body": {}, "text": "x"}, "one of"),
        ({"form": {}, "text": "x"}, "one of"),
        ({"method": "TRACE"}, "method"),
        ({"query": {"a": {"b": 1}}}, "query"),
    ],
)
def test_an_entry_that_no_request_can_be_made_of_is_refused(content: JsonObject, words: str) -> None:
    with pytest.raises(ValidationError, match=words) as caught:
        HttpAction.model_validate(content)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"url": "example.com/hush"}, "whole address"),
        ({"url": "https://ana:hush@example.com/"}, "auth"),
        ({"auth": {}}, "exactly one"),
        ({"auth": {"bearer": "hush", "basic": {"username": "a", "password": "hush"}}}, "exactly one"),
        ({"auth": {"bearer": "hush\n"}}, "line break"),
        ({"auth": {"api_key": {"value": "hush"}}}, "not both"),
        ({"auth": {"api_key": {"value": "hush", "header": "X-A", "query": "a"}}}, "not both"),
        ({"auth": {"api_key": {"value": "hush", "header": "X A"}}}, "no name of a header"),
        ({"auth": {"basic": {"username": "a:b", "password": "hush"}}}, "colon"),
        ({"headers": {"X-A": "hush\r\n"}}, "line break"),
        ({"idempotency_header": "Idempotency Key"}, "no name of a header"),
        ({"allow_private": ["10.0.0.0/99"]}, "allow_private"),
    ],
)
def test_options_that_cannot_work_are_refused_without_telling_secrets(options: JsonObject, words: str) -> None:
    with pytest.raises(ValidationError, match=words) as caught:
        HttpOptions.model_validate({"url": "https://example.com/"} | options)
    assert "hush" not in str(caught.value)


def test_a_request_that_carries_nothing_is_worth_a_warning() -> None:
    assert service("https://example.com").warnings({}) == (
        'a POST request without "body", "text", "xml" or "form" carries nothing',
    )
    assert service("https://example.com", method="GET").warnings({}) == ()
    assert service("https://example.com").warnings({"body": None}) == ()


@pytest.mark.parametrize("url", ["https://other.example/", "{{ x }}", "https://own.example.{{ x }}/"])
def test_credentials_that_stay_behind_are_worth_a_warning(url: str) -> None:
    target = service("https://own.example/a", auth={"bearer": "t"}, method="GET")
    assert "credentials" in target.warnings({"url": url})[0]
    assert target.warnings({"url": "https://own.example/{{ x }}"}) == ()


def test_an_address_that_data_would_have_to_begin_is_worth_a_warning() -> None:
    target = service("https://own.example", method="GET")
    assert "percent-encoded" in target.warnings({"url": "{{ deal.site }}/notes"})[0]
    assert target.warnings({"url": "{{ deal.site }}"}) == ()
    assert target.warnings({"url": "https://own.example/{{ deal.id }}/notes"}) == ()


def test_a_preview_shows_method_host_and_content() -> None:
    target = service("https://own.example/hush?key=hush")
    assert target.preview({"text": "Olá"}) == "POST https://own.example/…\n\nOlá"
    assert target.preview({"form": {"a": 1}, "path": "deals/1"}) == "POST https://own.example/…/deals/1\n\na=1"
    assert target.preview({"url": "https://x.example/a", "method": "GET"}) == "GET https://x.example/a"


async def test_a_refusal_tells_what_the_service_said(server: ContractServer, client: Client) -> None:
    server.script(answer(422, b'{"error": "total is missing"}'))
    with pytest.raises(PermanentFailure, match="422") as caught:
        await sent(service(server.url), server, client)
    assert caught.value.excerpt == '{"error": "total is missing"}'


@pytest.mark.parametrize("status", [401, 403, 410])
async def test_a_refusal_of_access_is_about_the_target_if_its_own_host_said_it(
    server: ContractServer, client: Client, status: int
) -> None:
    server.script(answer(status, b"no"))
    target = service(f"{server.url}/a", auth={"bearer": "hush"})
    for content in ({}, {"path": "deals/1"}, {"url": f"{server.url}/b"}):
        with pytest.raises(AccessRefused, match=f"answered {status}") as caught:
            await sent(target, server, client, **content)
        assert (caught.value.status, caught.value.excerpt) == (status, "no")


@pytest.mark.parametrize("status", [401, 403, 410])
async def test_another_hosts_refusal_of_access_is_about_the_message(
    server: ContractServer, client: Client, status: int
) -> None:
    server.script(answer(status, b"no"))
    with pytest.raises(PermanentFailure, match=f"answered {status}") as caught:
        await sent(service("https://own.example"), server, client, url=f"{server.url}/x")
    assert (caught.value.status, caught.value.excerpt) == (status, "no")


async def test_who_edits_a_deal_cannot_pause_the_target_by_naming_its_host(
    server: ContractServer, client: Client
) -> None:
    server.script(answer(401))
    target = service(server.url, auth={"bearer": "hush"}, allow_private=True)
    content = target.prepare({"url": "{{ x }}"}) | {"url": f"{server.url}/b"}
    with pytest.raises(PermanentFailure):
        await target.send(Message(DELIVERY, "deal:1", content), KnownLinks(), client)


@pytest.mark.parametrize(
    ("options", "content", "replaces"),
    [
        ({}, {}, False),
        ({}, {"method": "PUT"}, True),
        ({"method": "PUT"}, {}, True),
        ({"method": "PUT"}, {"method": None}, True),
        ({"method": "PUT"}, {"method": "POST"}, False),
        ({"method": "PATCH"}, {}, False),
        ({"method": "DELETE"}, {}, False),
    ],
)
def test_a_put_replaces_what_an_earlier_one_left(options: JsonObject, content: JsonObject, *, replaces: bool) -> None:
    assert service("https://example.com", **options).upserts(content) is replaces


def test_nothing_is_known_of_how_much_a_service_takes() -> None:
    assert service("https://example.com").limits == Limits(4, None)
    limited = service("https://example.com", rate="100/10s")
    assert limited.limits.rate == Rate(100, 10.0)
    assert limited.bucket({"path": "a"}) == limited.bucket({"path": "b"})
    assert not limited.looks_up


@pytest.mark.parametrize(("url", "literal"), [("http://127.0.0.1:9/x", True), ("{{ 'http://127.0.0.1:9/x' }}", False)])
def test_a_rules_file_says_whose_host_is_written_out(tmp_path: Path, url: str, *, literal: bool) -> None:
    rules = tmp_path / "routes.yaml"
    rules.write_text(RULES.format(url=url), encoding="utf-8")
    (route,) = load(rules, {}).ruleset.routes
    content = route.deliver[0].content.render({})
    assert (content["url"], content["host_in_rules"]) == ("http://127.0.0.1:9/x", literal)


async def test_without_a_path_to_ask_for_nothing_is_asked(server: ContractServer, client: Client) -> None:
    target = HttpService("web", HttpOptions.model_validate({"url": server.url}))

    assert await target.probe(client) is None
    assert server.seen == []


async def test_the_path_of_a_probe_is_asked_for_with_the_credentials(server: ContractServer, client: Client) -> None:
    options = {
        "url": f"{server.url}/in/v1",
        "auth": {"bearer": "hush"},
        "query": {"key": "k"},
        "probe": "/health?deep=1",
    }
    target = HttpService("web", HttpOptions.model_validate(options))

    assert await target.probe(client) == "answers 200 to GET /health?deep=1"
    [seen] = server.seen
    assert (seen.method, seen.target, seen.body) == ("GET", "/health?deep=1&key=k", b"")
    assert seen.headers["authorization"] == "Bearer hush"
    assert "idempotency-key" not in seen.headers


async def test_a_probe_fails_as_a_message_does(server: ContractServer, client: Client) -> None:
    server.script(answer(401))
    target = HttpService("web", HttpOptions.model_validate({"url": server.url, "probe": "/health"}))

    with pytest.raises(AccessRefused):
        await target.probe(client)


@pytest.mark.parametrize("path", ["health", "https://other.example/", "/../health"])
def test_a_probe_is_a_path_of_the_targets_host(path: str) -> None:
    with pytest.raises(ValidationError):
        HttpOptions.model_validate({"url": "https://example.com", "probe": path})
