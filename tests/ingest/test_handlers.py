"""What a sender may rely on: 2xx means durable, and nothing authenticated is refused for what it holds."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bridge import telemetry
from bridge.errors import StoreUnavailableError, UnreadableWebhookError
from bridge.model import Envelope, EventState
from bridge.sources.rdstation_crm import RdStationCrm
from bridge.store.sqlite.store import SqliteStore
from tests.contracts.store_steps import an_event
from tests.support.clock import ManualClock
from tests.support.deals import Deal, sample
from tests.support.hooks import LIMIT, SECRET, Hooks, hooks

PLACE = f"/hooks/crm/{SECRET}"


def body_of(**changes: object) -> bytes:
    return json.dumps(sample("crm_contact_created") | changes).encode()


def counted(result: str, source: str = "crm") -> float:
    return telemetry.REGISTRY.get_sample_value("bridge_webhooks_total", {"source": source, "result": result}) or 0


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop turn until something holds."""
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0)


# answered 2xx


async def test_an_event_is_stored_before_it_is_answered(crm: Hooks, clock: ManualClock) -> None:
    body = body_of()
    answer = await crm.post(body)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    [event] = await crm.events()
    assert answer.json == {"status": "stored", "event_id": event.id}
    assert (event.source, event.name, event.state) == ("crm", "crm_contact_created", EventState.RECEIVED)
    assert event.body == body, "to the byte"
    assert event.received_at == clock.now()


async def test_the_dispatcher_is_woken_for_an_event_and_for_nothing_else(crm: Hooks) -> None:
    await crm.post(b"no json")
    await crm.post(b"")
    assert crm.rung == []
    await crm.post(body_of())
    await crm.post(body_of())
    assert len(crm.rung) == 1, "the second was a duplicate"


async def test_the_same_webhook_again_is_the_same_event(crm: Hooks) -> None:
    first, second = await crm.post(body_of()), await crm.post(body_of())
    assert second.status == 200
    assert second.json == {"status": "duplicate", "event_id": first.json["event_id"]}
    assert len(await crm.events()) == 1


async def test_twins_that_arrive_at_once_are_one_event(crm: Hooks) -> None:
    answers = await asyncio.gather(*(crm.post(body_of()) for _ in range(8)))
    assert {answer.json["event_id"] for answer in answers} == {event.id for event in await crm.events()}
    assert sorted(answer.json["status"] for answer in answers) == ["duplicate"] * 7 + ["stored"]


async def test_one_connection_carries_many_webhooks(crm: Hooks) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", crm.port)
    for body in (body_of(), b"", b"[]", body_of(transaction_uuid="another")):
        writer.write(f"POST {PLACE} HTTP/1.1\r\nHost: b\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        assert b"200 OK" in await reader.readline()
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
    writer.close()


async def test_a_body_that_comes_in_pieces_and_chunks_is_put_together(crm: Hooks) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", crm.port)
    writer.write(
        f"POST {PLACE} HTTP/1.1\r\nHost: b\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    )
    body = body_of()
    for start in range(0, len(body), 200):
        piece = body[start : start + 200]
        writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    assert b'"stored"' in await reader.read()
    writer.close()
    assert (await crm.events())[0].body == body


# probes


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_whoever_knows_the_secret_may_look_whether_the_address_answers(crm: Hooks, method: str) -> None:
    before = counted("probe")
    answer = await crm.ask(method, PLACE)
    assert answer.status == 200
    assert counted("probe") == before + 1


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_look_with_a_wrong_secret_finds_nothing(crm: Hooks, method: str) -> None:
    assert (await crm.ask(method, "/hooks/crm/wrong")).status == 404


async def test_an_empty_post_is_a_probe(crm: Hooks) -> None:
    before = counted("probe")
    answer = await crm.post(b"")
    assert (answer.status, answer.json) == (200, {"status": "probe"})
    assert counted("probe") == before + 1
    assert await crm.events() == []


# quarantine


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"ping", "no JSON"),
        (b"[]", "no object"),
        (b"{}", "event_name"),
        (b"\xff\xfe\x00", "no JSON"),
        (b'{"event_name": "crm_deal_updated", "document": {}}', '"id"'),
        (b'{"event_type": "WEBHOOK.CONVERTED", "entity_type": "CONTACT", "contact": {}}', "RD Station Marketing"),
    ],
)
async def test_what_cannot_be_understood_is_kept_with_the_reason(crm: Hooks, body: bytes, reason: str) -> None:
    before = counted("quarantined")
    answer = await crm.post(body)
    [event] = await crm.events()
    assert (answer.status, answer.json) == (200, {"status": "quarantined", "event_id": event.id})
    assert (event.state, event.body) == (EventState.QUARANTINED, body)
    assert reason in (event.reason or "")
    assert counted("quarantined") == before + 1


async def test_the_same_nonsense_twice_is_kept_once(crm: Hooks) -> None:
    first, second = await crm.post(b"ping"), await crm.post(b"ping")
    assert second.json == {"status": "duplicate", "event_id": first.json["event_id"]}


async def test_a_defect_in_reading_keeps_the_body_for_later(crm: Hooks) -> None:
    class Defective(RdStationCrm):
        def read(self, body: bytes) -> Envelope:
            raise ZeroDivisionError(body)

    crm.sources["crm"] = Defective("crm", crm.sources["crm"].options)
    answer = await crm.post(body_of())
    [event] = await crm.events()
    assert (answer.status, answer.json["status"]) == (200, "quarantined")
    assert event.reason == "reading it failed: ZeroDivisionError"


BODIES = st.one_of(
    st.binary(min_size=1, max_size=300),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
    st.builds(
        lambda name, id_, uuid: json.dumps(
            {"event_name": name, "document": {"id": id_, "name": id_}, "transaction_uuid": uuid}
        ).encode(),
        st.sampled_from(["crm_deal_updated", "crm_task_created", "crm_nothing"]) | st.text(max_size=10),
        st.text(max_size=220) | st.integers() | st.none(),
        st.text(max_size=40) | st.none(),
    ),
)


async def test_whatever_an_authenticated_body_holds_it_is_stored_and_answered_2xx(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with hooks(tmp_path, clock, SECRET) as crm:

        @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
        @given(body=BODIES, encoding=st.sampled_from(["", "gzip", "deflate", "identity", "br", "gzip, gzip"]))
        async def holds(body: bytes, encoding: str) -> None:
            answer = await crm.post(body, Content_Encoding=encoding)
            assert answer.status == 200
            event = await crm.store.event(answer.json["event_id"])
            assert event is not None
            assert answer.json["status"] in {"stored", "duplicate", "quarantined"}
            assert event.body == body

        await asyncio.to_thread(lambda loop: _drive(holds, loop), asyncio.get_running_loop())


def _drive(holds: object, loop: asyncio.AbstractEventLoop) -> None:
    """Let hypothesis, which is synchronous, drive requests on the loop of the server."""
    inner = holds.hypothesis.inner_test  # type: ignore[attr-defined]  # the documented way in for plugins

    def run(**arguments: object) -> None:
        asyncio.run_coroutine_threadsafe(inner(**arguments), loop).result(20)

    holds.hypothesis.inner_test = run  # type: ignore[attr-defined]
    holds()  # type: ignore[operator]


# encodings and sizes


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [("gzip", gzip.compress), ("GZIP", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress)],
)
async def test_a_compressed_body_is_the_event_inside(
    crm: Hooks, encoding: str, compress: Callable[[bytes], bytes]
) -> None:
    body = body_of()
    answer = await crm.post(compress(body), Content_Encoding=encoding)
    assert answer.json["status"] == "stored"
    assert (await crm.events())[0].body == body


@pytest.mark.parametrize(("encoding", "reason"), [("gzip", "not valid gzip"), ("br", 'content encoding "br"')])
async def test_a_body_that_cannot_be_inflated_is_kept_as_it_came(crm: Hooks, encoding: str, reason: str) -> None:
    answer = await crm.post(b"certainly not", Content_Encoding=encoding)
    [event] = await crm.events()
    assert (answer.status, event.state, event.body) == (200, EventState.QUARANTINED, b"certainly not")
    assert reason in (event.reason or "")


async def test_a_body_whose_encoding_is_no_text_is_kept_too(crm: Hooks) -> None:
    head = f"POST {PLACE} HTTP/1.1\r\nHost: b\r\nConnection: close\r\nContent-Length: 2\r\nContent-Encoding: ".encode()
    answer = await crm.send(head + b"\xff\xc3\xa9\r\n\r\n{}")
    [event] = await crm.events()
    assert (answer.status, event.state, event.body) == (200, EventState.QUARANTINED, b"{}")
    assert r'the content encoding "\udcff\xe9" is none of' in (event.reason or "")


async def test_whatever_a_source_says_of_a_body_is_kept_with_it(crm: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Envelope:
        raise UnreadableWebhookError("\udcff" + "x" * 5000)

    monkeypatch.setattr(RdStationCrm, "read", refuse)
    assert (await crm.post(b"{}")).json["status"] == "quarantined"
    [event] = await crm.events()
    assert (event.reason or "").startswith(r"\udcffxxx")
    assert len(event.reason or "") < 600


async def test_a_body_of_exactly_the_limit_is_taken_and_one_byte_more_is_not(crm: Hooks) -> None:
    before = counted("refused")
    assert (await crm.post(b"x" * LIMIT)).status == 200
    assert (await crm.post(b"x" * (LIMIT + 1))).status == 413
    assert counted("refused") == before + 1
    assert len(await crm.events()) == 1


async def test_a_small_body_that_inflates_beyond_the_limit_is_refused(crm: Hooks) -> None:
    before = counted("refused")
    bomb = gzip.compress(b"x" * (LIMIT * 100))
    assert len(bomb) < LIMIT
    assert (await crm.post(bomb, Content_Encoding="gzip")).status == 413
    assert counted("refused") == before + 1
    assert await crm.events() == []


async def test_a_body_that_dawdles_is_given_up(crm: Hooks) -> None:
    before = counted("refused")
    answer = await crm.send(f"POST {PLACE} HTTP/1.1\r\nHost: b\r\nContent-Length: 500\r\n\r\n".encode() + b"{")
    assert answer.status == 408
    assert counted("refused") == before + 1
    assert crm.ingest.in_flight == 0


async def test_a_body_that_breaks_off_is_not_stored(crm: Hooks) -> None:
    before = counted("refused")
    _, writer = await asyncio.open_connection("127.0.0.1", crm.port)
    writer.write(f"POST {PLACE} HTTP/1.1\r\nHost: b\r\nContent-Length: 500\r\n\r\n".encode() + b"{")
    await writer.drain()
    await until(lambda: crm.ingest.busy)
    writer.transport.abort()
    await until(lambda: not crm.ingest.busy)
    assert counted("refused") == before + 1
    assert await crm.events() == []


async def test_broken_chunks_are_refused(crm: Hooks) -> None:
    head = f"POST {PLACE} HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    assert (await crm.send(head + b"zz\r\nwhat\r\n")).status == 400
    assert await crm.events() == []


async def test_a_sender_that_hangs_up_before_the_answer_is_stored_all_the_same(crm: Hooks) -> None:
    adding, go_on = asyncio.Event(), asyncio.Event()
    add = crm.store.add

    async def slowly(event: object) -> str | None:
        adding.set()
        await go_on.wait()
        return await add(event)  # type: ignore[arg-type]

    crm.store.add = slowly  # type: ignore[method-assign]
    _, writer = await asyncio.open_connection("127.0.0.1", crm.port)
    body = body_of()
    writer.write(f"POST {PLACE} HTTP/1.1\r\nHost: b\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    await adding.wait()
    assert crm.ingest.busy
    writer.transport.abort()
    go_on.set()
    await until(lambda: not crm.ingest.busy)
    assert len(await crm.events()) == 1
    assert crm.rung, "and it is routed"


# a store that fails


@pytest.mark.parametrize("error", [StoreUnavailableError("the disk is full"), RuntimeError("a defect")])
async def test_what_is_not_durable_is_never_acknowledged(crm: Hooks, error: Exception) -> None:
    before = counted("unavailable")
    crm.break_store(error)
    answer = await crm.post(body_of())
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "5"
    assert counted("unavailable") == before + 1
    assert await crm.events() == []
    assert crm.rung == []


async def test_nonsense_is_not_acknowledged_either_when_it_cannot_be_kept(crm: Hooks) -> None:
    crm.break_store()
    assert (await crm.post(b"ping")).status == 503


async def test_a_probe_needs_no_store(crm: Hooks) -> None:
    crm.break_store()
    assert (await crm.post(b"")).status == 200


# no room


async def test_while_a_limit_is_reached_webhooks_are_turned_away_and_then_taken_again(crm: Hooks) -> None:
    before = counted("unavailable")
    crm.limits.append("disk")
    answer = await crm.post(body_of())
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert (await crm.post(b"nonsense")).status == 503
    assert await crm.events() == []
    assert counted("unavailable") == before + 2
    crm.limits.clear()
    assert (await crm.post(body_of())).json["status"] == "stored"


async def test_while_a_limit_is_reached_strangers_learn_nothing_and_probes_are_answered(crm: Hooks) -> None:
    crm.limits.append("disk")
    assert (await crm.post(body_of(), "/hooks/crm/wrong")).status == 404
    assert (await crm.post(b"")).json == {"status": "probe"}
    assert (await crm.ask("GET", PLACE)).json == {"status": "probe"}


async def test_a_limit_stops_webhooks_and_not_what_bridge_itself_stores(crm: Hooks, clock: ManualClock) -> None:
    crm.limits.append("backlog")
    assert await crm.store.add(an_event(clock, source="bridge", name="bridge.backlog")) is None
    assert [event.name for event in await crm.events()] == ["bridge.backlog"]


def connection_of(crm: Hooks) -> apsw.Connection:
    assert isinstance(crm.store, SqliteStore)
    return crm.store._writer._connection


async def test_on_a_full_disk_no_webhook_is_acknowledged_falsely(crm: Hooks) -> None:
    await crm.post(body_of())
    writer = connection_of(crm)
    writer.pragma("max_page_count", writer.pragma("page_count"))
    bodies = [body_of(transaction_uuid=str(n), filling="x" * 2000) for n in range(40)]
    with capture_logs() as lines:
        answers = await asyncio.gather(*(crm.post(body) for body in bodies))
    assert not any(line.get("exc_info") for line in lines), "a full disk is no defect of ours"
    told = {answer.json["event_id"] for answer in answers if answer.status == 200}
    assert {answer.status for answer in answers} <= {200, 503}
    assert any(answer.status == 503 for answer in answers)
    assert told == {event.id for event in await crm.events()} - {(await crm.events())[-1].id}
    writer.pragma("max_page_count", 1_000_000)
    assert {(await crm.post(body)).status for body in bodies} == {200}
    assert len(await crm.events()) == 1 + len(bodies), "and none is stored twice"


async def test_while_the_file_is_locked_webhooks_are_refused_in_time_and_then_taken_again(crm: Hooks) -> None:
    await crm.post(body_of())
    other = apsw.Connection(connection_of(crm).filename)
    other.execute("BEGIN IMMEDIATE")
    began = asyncio.get_running_loop().time()
    with capture_logs():
        answer = await crm.post(body_of(transaction_uuid="another"))
    assert answer.status == 503
    assert asyncio.get_running_loop().time() - began < 3.5, "the CRM waits five seconds"
    other.execute("ROLLBACK")
    other.close()
    assert (await crm.post(body_of(transaction_uuid="another"))).json["status"] == "stored"


# who may come in


@pytest.mark.parametrize(
    "path",
    [
        "/hooks/crm/wrong",
        f"/hooks/crm/{SECRET}x",
        f"/hooks/crm/{SECRET[:-1]}",
        f"/hooks/other/{SECRET}",
        "/hooks/crm",
        "/hooks/other",
        "/hooks/crm/",
        f"//hooks/crm/{SECRET}",
        f"/hooks//{SECRET}",
        f"{PLACE}/",
        f"{PLACE}/more",
        "/hooks/crm/%00",
        "/hooks/crm/%ff",
        "/hooks/crm/a%C3%A7%C3%A3o",
        "/hooks/crm/a%2Fb",
        "/hooks",
    ],
)
async def test_a_wrong_address_is_like_any_other_that_does_not_exist(crm: Hooks, path: str) -> None:
    answer, nowhere = await crm.post(body_of(), path), await crm.post(body_of(), "/nowhere")
    assert answer.status == 404
    assert answer.body == nowhere.body
    assert answer.headers.keys() == nowhere.headers.keys()
    assert await crm.events() == []


async def test_refusals_are_counted_under_names_that_are_configured(crm: Hooks) -> None:
    ours, theirs = counted("refused"), counted("refused", "unknown")
    await crm.post(body_of(), "/hooks/crm/wrong")
    await crm.post(body_of(), "/hooks/made-up-by-a-stranger/x")
    assert counted("refused") == ours + 1
    assert counted("refused", "unknown") == theirs + 1
    assert counted("refused", "made-up-by-a-stranger") == 0


async def test_a_query_changes_nothing(crm: Hooks) -> None:
    assert (await crm.post(body_of(), f"{PLACE}?token=1")).status == 200


@pytest.mark.parametrize("secret", ["ação-🔑", "a/b", "50%", "{curly}", "plus+and space", "%2F", "ü?#&"])
async def test_any_secret_can_stand_in_an_address(tmp_path: Path, clock: ManualClock, secret: str) -> None:
    async with hooks(tmp_path, clock, secret) as crm:
        [path] = crm.book.paths("crm")
        assert path.isascii()
        assert (await crm.post(body_of(), path)).json["status"] == "stored"


async def test_several_secrets_are_valid_while_one_replaces_another(tmp_path: Path, clock: ManualClock) -> None:
    async with hooks(tmp_path, clock, "the-old-one", "the-new-one") as crm:
        for path in crm.book.paths("crm"):
            assert (await crm.post(b"", path)).status == 200
        assert (await crm.post(b"", "/hooks/crm/the-third-one")).status == 404


async def test_a_header_opens_a_source_that_names_one(tmp_path: Path, clock: ManualClock) -> None:
    async with hooks(tmp_path, clock, auth_header="X-Key", auth_key="chave-ção") as crm:
        assert crm.book.paths("crm") == ("/hooks/crm",)
        assert (await crm.post(body_of(), "/hooks/crm", X_KEY="chave-ção")).json["status"] == "stored"
        assert (await crm.ask("GET", "/hooks/crm", x_key="chave-ção")).status == 200
        assert (await crm.post(body_of(), "/hooks/crm", X_Key="chave")).status == 404
        assert (await crm.post(body_of(), "/hooks/crm", X_Key="\udcff")).status == 404
        assert (await crm.post(body_of(), "/hooks/crm")).status == 404


async def test_a_header_means_nothing_to_a_source_that_names_none(crm: Hooks) -> None:
    assert (await crm.post(body_of(), "/hooks/crm", X_Key=SECRET)).status == 404


async def test_a_source_that_is_gone_after_a_reload_is_not_there(crm: Hooks) -> None:
    assert (await crm.post(b"")).status == 200
    del crm.sources["crm"]
    crm.book.adopt({})
    assert (await crm.post(b"")).status == 404


async def test_a_deal_told_twice_under_two_uuids_is_two_events(crm: Hooks) -> None:
    lost = Deal().lost()
    for uuid in ("one", "two"):
        await crm.post(json.dumps(lost | {"transaction_uuid": uuid}).encode())
    assert len(await crm.events()) == 2, "routing tells that they are one change: ingest does not look that far"
