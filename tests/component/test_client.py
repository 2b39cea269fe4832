import asyncio
import gzip
import socket
import ssl
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from ipaddress import ip_network
from threading import Event
from typing import Any

import pytest
import trustme

from bridge.component.client import Client
from bridge.component.http import BODY_LIMIT, Request
from bridge.component.resolver import AT_ONCE, ROOM
from bridge.errors import PermanentFailure, TransientFailure, UnknownOutcome
from tests.support.contract_server import ContractServer, answer, raw, reset, stall


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client() as opened:
        yield opened


@pytest.fixture
async def server() -> AsyncIterator[ContractServer]:
    async with ContractServer() as running:
        yield running


def authority() -> tuple[trustme.CA, ssl.SSLContext]:
    made = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.issue_cert("127.0.0.1").configure_cert(context)
    return made, context


def get(url: str, timeout: float = 15) -> Request:
    return Request("GET", url, timeout=timeout)


def from_data(url: str, *allowed: str) -> Request:
    return Request("GET", url, trusted=False, allowed=tuple(ip_network(network) for network in allowed))


async def test_an_answer_is_returned_whatever_its_status(client: Client, server: ContractServer) -> None:
    server.script(answer(418, b"short and stout", X_Pot="tea"))
    got = await client.call(get(server.url))
    assert (got.status, got.body, got.headers["x-pot"]) == (418, b"short and stout", "tea")


async def test_a_request_arrives_as_it_was_made(client: Client, server: ContractServer) -> None:
    await client.call(Request("PATCH", f"{server.url}/a%2Fb?q=%C3%A3", {"X-One": "1"}, b"bytes\0"))
    (seen,) = server.seen
    assert (seen.method, seen.target, seen.body) == ("PATCH", "/a%2Fb?q=%C3%A3", b"bytes\0")
    assert seen.headers["x-one"] == "1"


async def test_interim_answers_are_not_the_answer(client: Client, server: ContractServer) -> None:
    server.script(raw(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\n\r\nHTTP/1.1 204 x\r\n\r\n"))
    assert (await client.call(get(server.url))).status == 204


async def test_switching_protocols_delivers_nothing(client: Client, server: ContractServer) -> None:
    server.script(raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: tea\r\nConnection: upgrade\r\n\r\n"))
    with pytest.raises(PermanentFailure, match="101"):
        await client.deliver(get(server.url))


async def test_a_connection_serves_several_requests(client: Client, server: ContractServer) -> None:
    await client.call(get(server.url))
    await client.call(get(server.url))
    assert not server.hung_up.is_set()


async def test_of_ten_mebibytes_64_kibibytes_are_kept(client: Client, server: ContractServer) -> None:
    server.script(answer(200, b"x" * (10 * 2**20)))
    got = await client.call(get(server.url))
    assert len(got.body) == BODY_LIMIT
    await asyncio.wait_for(server.hung_up.wait(), 5)


async def test_more_of_an_answer_is_kept_where_that_was_asked_for(client: Client, server: ContractServer) -> None:
    server.script(answer(200, b"x" * (10 * 2**20)))
    got = await client.call(Request("GET", server.url, most=2**20))
    assert len(got.body) == 2**20


async def test_an_answer_of_just_the_limit_is_whole(client: Client, server: ContractServer) -> None:
    server.script(answer(200, b"x" * BODY_LIMIT))
    assert len((await client.call(get(server.url))).body) == BODY_LIMIT


async def test_an_answer_without_end_is_cut_and_left(client: Client, server: ContractServer) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    server.script(stall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 3))
    assert len((await client.call(get(server.url))).body) == BODY_LIMIT


async def test_a_gzip_bomb_does_not_go_off(client: Client, server: ContractServer) -> None:
    bomb = gzip.compress(bytes(200 * 2**20), 6)
    server.script(answer(200, bomb, Content_Encoding="gzip"))
    tracemalloc.start()
    try:
        got = await client.call(get(server.url))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert got.body == bytes(BODY_LIMIT)
    assert peak < 4 * 2**20


async def test_gzip_that_is_none_leaves_the_outcome_unknown(client: Client, server: ContractServer) -> None:
    server.script(answer(200, b"this is no gzip at all", Content_Encoding="gzip"))
    with pytest.raises(UnknownOutcome):
        await client.call(get(server.url))


async def test_redirects_are_not_followed_however_many(client: Client, server: ContractServer) -> None:
    server.script(answer(308, b"", Location="/"))
    with pytest.raises(PermanentFailure, match="redirects are not followed"):
        await client.deliver(get(server.url))
    assert len(server.seen) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_one_call_is_one_request_even_if_it_could_be_repeated(
    client: Client, server: ContractServer, method: str
) -> None:
    server.script(answer(), reset())
    await client.call(get(server.url))
    with pytest.raises(UnknownOutcome):
        await client.call(Request(method, server.url))
    assert len(server.seen) == 2


async def test_a_trusted_certificate_is_taken() -> None:
    made, context = authority()
    ours = ssl.create_default_context()
    made.configure_trust(ours)
    async with ContractServer(tls=context) as server, Client(tls=ours) as client:
        assert (await client.call(get(server.url))).status == 200


async def test_a_strange_certificate_is_refused_before_anything_is_sent(client: Client) -> None:
    _, context = authority()
    async with ContractServer(tls=context) as server:
        with pytest.raises(TransientFailure, match="certificate"):
            await client.call(get(server.url))
        assert server.seen == []


async def test_plain_http_on_a_tls_port_was_sent_and_is_unknown(client: Client) -> None:
    _, context = authority()
    async with ContractServer(tls=context) as server:
        with pytest.raises(UnknownOutcome):
            await client.call(get(server.url.replace("https", "http")))


async def test_tls_on_a_plain_port_was_not_sent(client: Client) -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(TransientFailure, match="TLS"):
        await client.call(get(f"https://127.0.0.1:{port}"))
    server.close()
    await server.wait_closed()


async def test_a_connection_that_is_never_made_was_not_sent() -> None:
    async def deaf(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gone.wait()
        writer.close()

    gone = asyncio.Event()
    server = await asyncio.start_server(deaf, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with Client(connect_timeout=0.2) as client:
            with pytest.raises(TransientFailure, match="in time"):
                await client.call(get(f"https://127.0.0.1:{port}"))  # the TLS handshake is never answered
    finally:
        gone.set()
        server.close()
        await server.wait_closed()


async def test_all_of_a_request_has_one_timeout(client: Client, server: ContractServer) -> None:
    server.script(stall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"))
    with pytest.raises(UnknownOutcome, match=r"within 0\.2 s"):
        await client.call(get(server.url, timeout=0.2))


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "ftp://example.com/", "http://", "http://:80/", "http://a b/", "http://x:99999/", "file:///etc"],
)
async def test_a_malformed_address_is_refused_for_good(client: Client, url: str) -> None:
    with pytest.raises(PermanentFailure, match="malformed"):
        await client.call(get(url))


@pytest.mark.parametrize("value", ["a\r\nX-Injected: 1", "a\nb", "a\0b"])
async def test_a_header_cannot_bring_another(client: Client, server: ContractServer, value: str) -> None:
    with pytest.raises(PermanentFailure) as caught:
        await client.call(Request("GET", server.url, {"X-Name": value}))
    assert value not in str(caught.value)
    assert server.seen == []


async def test_a_client_that_was_closed_sends_nothing(server: ContractServer) -> None:
    async with Client() as client:
        await client.call(get(server.url))
        session = client._session(get(server.url))
        await session.close()
        with pytest.raises(TransientFailure):
            await client.call(get(server.url))


async def test_proxies_of_the_environment_are_not_used(
    client: Client, server: ContractServer, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{unused_tcp_port}")
    assert (await client.call(get(server.url))).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "2130706433",
        "0",
        "0.0.0.0",  # noqa: S104 (it is refused)
    ],
)
async def test_a_host_from_data_cannot_be_this_machine_however_it_is_spelled(
    client: Client, server: ContractServer, host: str
) -> None:
    with pytest.raises(PermanentFailure, match=r"not allowed|malformed"):
        await client.call(from_data(f"http://{host}:{server.port}/"))
    assert server.seen == []


@pytest.mark.parametrize(
    ("host", "rule"),
    [("169.254.169.254", "link-local"), ("[fe80::1]", "link-local"), ("10.0.0.1", "private"), ("[::1]", "loopback")],
)
async def test_a_refusal_names_the_rule(client: Client, host: str, rule: str) -> None:
    with pytest.raises(PermanentFailure, match=f"not allowed: {rule}"):
        await client.call(from_data(f"http://{host}/latest/meta-data"))


async def test_a_host_from_data_may_be_in_an_allowed_network(client: Client, server: ContractServer) -> None:
    assert (await client.call(from_data(server.url, "127.0.0.0/8"))).status == 200


async def test_a_pooled_connection_never_serves_a_stricter_policy(client: Client, server: ContractServer) -> None:
    await client.call(get(server.url))
    await client.call(from_data(server.url, "127.0.0.0/8"))
    with pytest.raises(PermanentFailure):
        await client.call(from_data(server.url))
    assert len(server.seen) == 2


class Names:
    """The system's look-up: names that begin with ``slow`` get no answer until the gate opens."""

    def __init__(self) -> None:
        self.gate = Event()
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, **_: object) -> list[Any]:
        self.asked.append(host)
        if host.startswith("slow") and self.gate.wait(10):
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    made = Names()
    monkeypatch.setattr("bridge.component.resolver.socket.getaddrinfo", made)
    yield made
    made.gate.set()


async def test_names_from_data_that_get_no_answer_keep_nothing_else_waiting(
    client: Client, server: ContractServer, names: Names
) -> None:
    slow = [asyncio.create_task(client.call(from_data(f"http://slow{n}.example/"))) for n in range(AT_ONCE + ROOM)]
    while len(names.asked) < AT_ONCE:
        await asyncio.sleep(0)
    assert (await client.call(get(f"http://in-the-rules.example:{server.port}"))).status == 200
    assert await asyncio.to_thread(lambda: "free") == "free"
    with pytest.raises(TransientFailure, match="could not be resolved"):
        await client.call(from_data("http://one-too-many.example/"))
    names.gate.set()
    failed = await asyncio.gather(*slow, return_exceptions=True)
    assert {type(failure) for failure in failed} == {TransientFailure}


def test_a_request_and_an_answer_print_nothing_of_their_content() -> None:
    assert repr(Request("POST", "https://x/secret", {"A": "secret"}, b"secret")) == "<Request POST>"
