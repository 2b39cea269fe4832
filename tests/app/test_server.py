"""What listens where, and what strangers can do to it."""

import asyncio
import errno
import io
import logging
import os
import socket
import ssl
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog
import trustme
from aiohttp import web
from prometheus_client.exposition import generate_latest

from bridge import telemetry
from bridge.app import logs, server
from bridge.app.server import Servers
from bridge.errors import SettingsError
from bridge.ingest.handlers import Ingest
from bridge.ingest.secretbook import SecretBook
from bridge.model import SystemClock
from bridge.options import Redactor
from bridge.sources.rdstation_crm import RdStationCrm, RdStationCrmOptions
from bridge.store.sqlite import open_store
from tests.support.listening import Ready, Serve


async def get(url: str, **options: Any) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url, **options) as answer:
        return answer.status, await answer.text()


async def get_local(data: Path, path: str) -> tuple[int, str]:
    connector = aiohttp.UnixConnector(str(data / "bridge.sock"))
    async with aiohttp.ClientSession(connector=connector) as session, session.get(f"http://bridge{path}") as answer:
        return answer.status, await answer.text()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def hold(_: web.Request) -> web.Response:
    return web.Response(text="held")


# what is served where


async def test_without_an_admin_listener_everything_but_control_is_public(serve: Serve) -> None:
    async with serve(web.get("/hooks/x", hold)) as servers:
        for path, status in {
            "/hooks/x": 200,
            "/healthz": 200,
            "/readyz": 200,
            "/metrics": 200,
            "/api/url": 404,
        }.items():
            assert (await get(servers.url + path))[0] == status, path


async def test_an_admin_listener_takes_what_is_not_for_the_world(serve: Serve) -> None:
    port = free_port()
    async with serve(web.get("/hooks/x", hold), admin_listen=f"127.0.0.1:{port}") as servers:
        for path, status in {"/hooks/x": 200, "/healthz": 200, "/readyz": 404, "/metrics": 404}.items():
            assert (await get(servers.url + path))[0] == status, path
        for path, status in {"/hooks/x": 404, "/healthz": 200, "/readyz": 200, "/metrics": 200}.items():
            assert (await get(f"http://127.0.0.1:{port}{path}"))[0] == status, path


async def test_control_is_served_on_the_socket_alone_and_knows_the_address(serve: Serve, data: Path) -> None:
    async with serve() as servers:
        assert await get_local(data, "/api/url") == (200, servers.url)
        assert (await get_local(data, "/healthz"))[0] == 200


async def test_readiness_is_told_with_what_there_is_to_know(serve: Serve, ready: Ready) -> None:
    async with serve() as servers:
        assert await get(servers.url + "/readyz") == (200, '{"ready": true, "revision": "r1"}')
        ready.ready = False
        assert await get(servers.url + "/readyz") == (503, '{"ready": false, "revision": "r1"}')
        assert (await get(servers.url + "/healthz"))[0] == 200, "alive is not ready"


async def test_metrics_are_brought_up_to_date_and_written_for_prometheus(serve: Serve, ready: Ready) -> None:
    async with serve() as servers:
        status, text = await get(servers.url + "/metrics")
    assert status == 200
    assert ready.asked == 1
    assert "# TYPE bridge_webhooks_total counter" in text


# addresses


async def test_the_address_is_the_one_this_machine_reaches(serve: Serve) -> None:
    for listen, begins in {
        "127.0.0.1:0": "http://127.0.0.1:",
        "0.0.0.0:0": "http://127.0.0.1:",
        "[::1]:0": "http://[::1]:",
        "[::]:0": "http://[::1]:",
        "localhost:0": "http://localhost:",
    }.items():
        async with serve(listen=listen) as servers:
            assert servers.url.startswith(begins)
            if listen != "localhost:0":
                assert (await get(servers.url + "/healthz"))[0] == 200, listen


async def test_an_empty_host_is_every_interface(serve: Serve) -> None:
    port = free_port()
    async with serve(listen=f":{port}") as servers:
        assert servers.url == f"http://127.0.0.1:{port}"
        assert (await get(f"http://127.0.0.1:{port}/healthz"))[0] == 200
        assert (await get(f"http://[::1]:{port}/healthz"))[0] == 200


@pytest.mark.parametrize("setting", ["listen", "admin_listen"])
async def test_a_port_in_use_is_told_with_what_to_do(serve: Serve, setting: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(SettingsError) as caught:
            async with serve(**{setting: address}):
                pass
    told = str(caught.value).lower()
    assert told.startswith(f"cannot listen on {address}: ")
    assert "address already in use" in told
    assert told.endswith(f"; set bridge_{setting} to another address")


async def test_a_host_that_is_not_ours_is_told(serve: Serve) -> None:
    with pytest.raises(SettingsError, match=r"cannot listen on 192\.0\.2\.1:0: .*BRIDGE_LISTEN"):
        async with serve(listen="192.0.2.1:0"):
            pass


# the control socket


async def test_the_socket_is_for_its_owner_alone_and_goes_with_the_daemon(serve: Serve, data: Path) -> None:
    async with serve():
        assert stat.S_IMODE((data / "bridge.sock").stat().st_mode) == 0o600
    assert not (data / "bridge.sock").exists()


async def test_a_socket_that_a_killed_daemon_left_is_replaced(serve: Serve, data: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(data / "bridge.sock"))
    async with serve():
        assert (await get_local(data, "/api/url"))[0] == 200


async def test_the_socket_of_another_daemon_is_left_alone(serve: Serve, data: Path) -> None:
    async with serve():
        (data / "bridge.sock").rename(data / "moved.sock")
        async with serve():
            other = (data / "bridge.sock").stat()
            (data / "bridge.sock").rename(data / "other.sock")
        (data / "other.sock").rename(data / "bridge.sock")
    assert (data / "bridge.sock").stat().st_ino == other.st_ino


async def test_a_socket_that_cannot_be_removed_does_not_spoil_the_end(
    serve: Serve, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(path: Path, **_: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    async with serve():
        monkeypatch.setattr(Path, "unlink", read_only)
    monkeypatch.undo()
    assert (data / "bridge.sock").is_socket()
    async with serve():
        assert (await get_local(data, "/healthz"))[0] == 200


async def test_a_data_directory_whose_path_is_too_long_for_a_socket_is_told(serve: Serve, data: Path) -> None:
    deep = data / ("d" * 100)
    deep.mkdir()
    with pytest.raises(SettingsError, match=r"the path of the control socket is too long: .*BRIDGE_DATA to a shorter"):
        async with serve(data=deep):
            pass


async def test_something_else_in_the_socket_s_place_is_told(serve: Serve, data: Path) -> None:
    (data / "bridge.sock").mkdir()
    with pytest.raises(SettingsError, match=r"cannot listen on .*bridge\.sock: .*BRIDGE_DATA"):
        async with serve():
            pass


# what strangers can do


async def test_a_head_that_dawdles_is_cut_off(serve: Serve) -> None:
    async with serve(header_timeout=0.2) as servers:
        port = int(servers.url.rsplit(":", 1)[1])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: b\r\n")
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


async def test_a_second_head_that_dawdles_is_cut_off_too(serve: Serve) -> None:
    async with serve(header_timeout=0.2) as servers:
        port = int(servers.url.rsplit(":", 1)[1])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: b\r\n\r\nGET /healthz HTTP/1.1\r\nHost:")
        answer = await asyncio.wait_for(reader.read(), 5)
        assert answer.count(b"HTTP/1.1 200 OK") == 1
        writer.close()


async def test_a_head_beyond_all_measure_is_refused(serve: Serve) -> None:
    async with serve() as servers:
        for headers in ({"X": "y" * 20_000}, {f"X-{n}": "y" for n in range(500)}):
            assert (await get(servers.url + "/healthz", headers=headers))[0] == 400


async def test_a_body_that_was_refused_does_not_keep_its_connection(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "LINGERING", 0.1)
    async with serve(web.post("/hooks/x", hold)) as servers:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(servers.url.rsplit(":", 1)[1]))
        writer.write(b"POST /hooks/x HTTP/1.1\r\nHost: b\r\nContent-Length: 500\r\n\r\n{")
        answer = await asyncio.wait_for(reader.read(), 5)
        assert answer.endswith(b"held"), "answered, and then closed, though the body never came"
        writer.close()


@pytest.mark.skipif(sys.platform != "linux", reason="the system cannot do so")
async def test_who_takes_nothing_of_an_answer_is_dropped_by_the_system(serve: Serve) -> None:
    found = []

    async def look(request: web.Request) -> web.Response:
        assert request.transport
        connection = request.transport.get_extra_info("socket")
        found.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))
        return web.Response()

    for host in ("127.0.0.1", "[::1]"):
        async with serve(web.get("/look", look), listen=f"{host}:0", body_timeout=1.5) as servers:
            await get(servers.url + "/look")
    assert found == [1500, 1500], "milliseconds"


async def test_closing_lets_an_answer_finish(serve: Serve) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        asked.set()
        await go_on.wait()
        return web.Response(text="after all")

    async with serve(web.get("/slow", slow)) as servers:
        answering = asyncio.create_task(get(servers.url + "/slow"))
        await asked.wait()
        asyncio.get_running_loop().call_later(0.05, go_on.set)
    assert await answering == (200, "after all")


async def test_an_idle_connection_does_not_hold_up_the_end(serve: Serve) -> None:
    async with serve(body_timeout=60) as servers:
        port = int(servers.url.rsplit(":", 1)[1])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: b\r\n\r\n")
        await reader.readuntil(b"ok\n")
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < 5
    writer.close()


# HTTPS


@pytest.fixture
def trust(tmp_path: Path) -> ssl.SSLContext:
    """What trusts the certificate in ``cert.pem`` and ``key.pem``."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    return trust


async def test_certificate_files_make_it_https(serve: Serve, tmp_path: Path, trust: ssl.SSLContext) -> None:
    async with serve(tls_cert=tmp_path / "cert.pem", tls_key=tmp_path / "key.pem") as servers:
        assert servers.url.startswith("https://127.0.0.1:")
        assert (await get(servers.url + "/healthz", ssl=trust))[0] == 200


@pytest.mark.usefixtures("trust")
async def test_a_handshake_that_never_comes_is_cut_off(serve: Serve, tmp_path: Path) -> None:
    async with serve(tls_cert=tmp_path / "cert.pem", tls_key=tmp_path / "key.pem", header_timeout=0.2) as servers:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(servers.url.rsplit(":", 1)[1]))
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


async def test_a_farewell_that_never_comes_is_not_waited_for(
    serve: Serve, tmp_path: Path, trust: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "LINGERING", 0.1)
    came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = trust.wrap_bio(came, goes, server_hostname="127.0.0.1")
    async with serve(tls_cert=tmp_path / "cert.pem", tls_key=tmp_path / "key.pem", header_timeout=0.2) as servers:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(servers.url.rsplit(":", 1)[1]))
        while not ours.version():
            with suppress(ssl.SSLWantReadError):
                ours.do_handshake()
            writer.write(goes.read())
            if not ours.version():
                came.write(await reader.read(65_536))
        await asyncio.wait_for(reader.read(), 5)  # it says farewell, and ends though nobody answers
        writer.close()


# secrets


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    monkeypatch.setattr(logs, "_secrets", set())
    monkeypatch.setattr(logs, "_redactor", Redactor(()))
    handlers, level = logging.root.handlers[:], logging.root.level
    monkeypatch.setattr("bridge.telemetry.events._log", structlog.get_logger("bridge"))
    out = io.StringIO()
    logs.configure("debug", "json", out)
    yield out
    structlog.reset_defaults()
    logging.root.handlers[:], logging.root.level = handlers, level
    logging.getLogger("aiohttp.server").removeFilter(logs.without_traceback)


async def test_a_secret_in_an_address_stands_in_no_line_and_no_metric(
    serve: Serve, data: Path, log: io.StringIO
) -> None:
    secret, other = "s3cret-of-the-source", "not-the-secret-of-the-source"
    sources = {"crm": RdStationCrm("crm", RdStationCrmOptions.model_validate({"secrets": [secret]}))}
    book = SecretBook(data)
    book.adopt(sources)
    logs.keep_secret(*book.everything())
    store = await open_store(data)
    ingest = Ingest(sources=lambda: sources, secrets=book, store=store, clock=SystemClock(), on_stored=lambda: None)
    async with serve(*ingest.routes()) as servers, aiohttp.ClientSession() as session:
        for method, path, body in [
            ("POST", f"/hooks/crm/{secret}", b'{"event_name": "crm_deal_deleted", "document": {"id": "1"}}'),
            ("POST", f"/hooks/crm/{secret}", secret.encode()),
            ("POST", f"/hooks/crm/{secret}", b'{"event_name": "%s"}' % secret.encode()),
            ("POST", f"/hooks/crm/{secret}", b""),
            ("GET", f"/hooks/crm/{secret}", b""),
            ("PUT", f"/hooks/crm/{secret}", b""),
            ("POST", f"/hooks/crm/{other}", b"x"),
            ("POST", f"/hooks/{secret}/x", b"x"),
        ]:
            await session.request(method, servers.url + path, data=body)
        await _malformed(servers, f"POST /hooks/crm/{secret} HTTP/9.9\r\n\r\n")
        await _malformed(servers, f"POST /hooks/crm/{other}\x00 HTTP/1.1\r\n\r\n")
        await store.close()
        async with session.post(f"{servers.url}/hooks/crm/{secret}", data=b"{}") as answer:
            assert answer.status == 503
    assert log.getvalue().count("\n") >= 9
    assert "webhook not stored" in log.getvalue()
    for text in (log.getvalue(), generate_latest(telemetry.REGISTRY).decode()):
        assert secret not in text
        assert other not in text


async def _malformed(servers: Servers, request: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(servers.url.rsplit(":", 1)[1]))
    writer.write(request.encode())
    assert b" 400 " in await reader.readline()
    writer.close()
