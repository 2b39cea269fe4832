from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import vobject
from aiohttp import ClientResponse, ClientSession, web

from bridge.component import AnyTarget
from bridge.errors import StoreError
from bridge.feeds import handlers
from bridge.feeds.handlers import Feeds
from bridge.model import OVER, Link
from bridge.store.base import Store
from bridge.store.sqlite import open_store
from bridge.targets.calendar_feed import CalendarFeed, CalendarFeedOptions
from bridge.targets.calendar_feed.entry import ENTRY
from bridge.targets.log import Log
from tests.contracts.store_steps import DELIVERED, planned
from tests.support.clock import ManualClock

SECRET = "the-secret-of-this-feed"
LINES = ("BEGIN:VEVENT", "UID:{0}", "SUMMARY:{1}", "DTSTART:20261224T180000Z", "DTSTAMP:20261124T120000Z", "END:VEVENT")
EVENT = "\r\n".join((*LINES, ""))
ICS = f"/feeds/agenda/{SECRET}.ics"


def feed(**options: Any) -> CalendarFeed:
    return CalendarFeed("agenda", CalendarFeedOptions.model_validate({"secrets": [SECRET], **options}))


class Served:
    """Feeds on a real socket, over a real store; ``targets`` are those of the moment."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        self.store, self.clock = store, clock
        self.targets: dict[str, AnyTarget] = {"agenda": feed(), "screen": Log("screen", Log.Options())}
        self.feeds = Feeds(lambda: self.targets, store, clock)
        self.base = ""
        self.session = ClientSession()

    async def keep(self, number: int, summary: str, over: str = "2026-12-24T19:00:00Z") -> None:
        """Let an entry be recorded, as a worker does."""
        key = f"deal:{number}"
        await planned(self.store, self.clock, key, target="agenda")
        link = Link("agenda", key, key, {ENTRY: EVENT.format(key, summary), OVER: over})
        [claim] = await self.store.claim("agenda", Log("x", Log.Options()).limits, timedelta(minutes=1))
        await self.store.record(claim, None, DELIVERED, [link])

    async def get(self, path: str = ICS, method: str = "GET", **headers: str) -> tuple[ClientResponse, bytes]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.request(method, self.base + path, headers=named) as answer:
            return answer, await answer.read()

    async def titles(self) -> list[str]:
        """Return the titles of the feed, as another library reads them."""
        _, body = await self.get()
        return [event.summary.value for event in vobject.readOne(body.decode()).contents.get("vevent", [])]


@pytest.fixture
async def served(tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    monkeypatch.setattr(handlers, "FRESH", 0.0)
    store = await open_store(tmp_path / "data", clock, durable=False)
    running = Served(store, clock)
    app = web.Application()
    app.add_routes(running.feeds.routes())
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    running.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield running
    await running.session.close()
    await runner.cleanup()
    await store.close()


async def test_a_feed_holds_what_was_recorded(served: Served) -> None:
    await served.keep(1, "Assinatura")
    await served.keep(2, "Renovação")
    answer, body = await served.get()
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    assert answer.headers["Cache-Control"] == "private, max-age=60"
    assert await served.titles() == ["Assinatura", "Renovação"]
    assert body.startswith(b"BEGIN:VCALENDAR\r\n")
    assert body.endswith(b"END:VEVENT\r\nEND:VCALENDAR\r\n")


async def test_an_entry_is_shown_for_so_long_after_it_is_over(served: Served) -> None:
    await served.keep(1, "Antiga", over="2026-11-20T12:00:00Z")
    await served.keep(2, "Nova")
    served.targets["agenda"] = feed(keep="5d")
    assert await served.titles() == ["Antiga", "Nova"]
    served.clock.advance(days=2)
    assert await served.titles() == ["Nova"]


async def test_what_is_known_is_not_sent_again(served: Served) -> None:
    await served.keep(1, "Assinatura")
    answer, _ = await served.get()
    tag = answer.headers["ETag"]
    assert tag.startswith('"'), "it is strong"
    for value in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again, body = await served.get(If_None_Match=value)
        assert (again.status, body, again.headers["ETag"]) == (304, b"", tag)
        assert again.headers["Cache-Control"] == answer.headers["Cache-Control"]
        assert "Content-Type" not in again.headers
    assert (await served.get(If_None_Match='"other"'))[0].status == 200
    assert (await served.get(If_None_Match="broken"))[0].status == 200


async def test_a_change_has_another_tag_and_a_later_date(served: Served) -> None:
    await served.keep(1, "Assinatura")
    answer, _ = await served.get()
    served.clock.advance(seconds=30)
    await served.keep(1, "Assinatura adiada")
    later, _ = await served.get(If_None_Match=answer.headers["ETag"], If_Modified_Since=answer.headers["Last-Modified"])
    assert later.status == 200
    assert later.headers["ETag"] != answer.headers["ETag"]
    assert later.headers["Last-Modified"] > answer.headers["Last-Modified"], "on the same day of the week"


async def test_who_knows_but_a_date_is_told_by_it(served: Served) -> None:
    await served.keep(1, "Assinatura")
    answer, _ = await served.get()
    since = answer.headers["Last-Modified"]
    served.clock.advance(seconds=30)
    assert (await served.get(If_Modified_Since=since))[0].status == 304
    stale, _ = await served.get(If_None_Match='"other"', If_Modified_Since=since)
    assert stale.status == 200, "a tag counts first"
    await served.keep(1, "Outra")
    assert (await served.get(If_Modified_Since=since))[0].status == 200
    assert (await served.get(If_Modified_Since="yesterday"))[0].status == 200
    far = f"Thu, 01 Jan {'9' * 19} 00:00:00 GMT"
    assert (await served.get(If_Modified_Since=far))[0].status == 200


async def test_a_head_has_no_body(served: Served) -> None:
    answer, body = await served.get(method="HEAD")
    assert (answer.status, body) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 100


@pytest.mark.parametrize(
    "path",
    [
        f"/feeds/nobody/{SECRET}.ics",
        "/feeds/agenda/another-secret-of-it.ics",
        "/feeds/agenda/%ff%00.ics",
        f"/feeds/screen/{SECRET}.ics",
        f"/feeds/agenda/{SECRET}",
        f"/feeds/agenda/{SECRET[:-1]}.ics",
        f"/feeds/agenda/x{SECRET}.ics",
        "/feeds/agenda/.ics",
        "/nothing/at/all",
    ],
)
async def test_nothing_tells_whether_there_is_a_feed(served: Served, path: str) -> None:
    await served.keep(1, "Assinatura")
    answer, body = await served.get(path)
    nowhere, nothing = await served.get("/nowhere")
    assert (answer.status, body) == (nowhere.status, nothing) == (404, nothing)
    assert {*answer.headers} == {*nowhere.headers}


async def test_a_secret_that_is_taken_out_opens_it_no_more(served: Served) -> None:
    served.targets["agenda"] = feed(secrets=[SECRET, "the-secret-of-rui-ramos"])
    rui = "/feeds/agenda/the-secret-of-rui-ramos.ics"
    assert [(await served.get(path))[0].status for path in (ICS, rui)] == [200, 200]
    served.targets["agenda"] = feed()
    assert [(await served.get(path))[0].status for path in (ICS, rui)] == [200, 404]
    del served.targets["agenda"]
    assert (await served.get())[0].status == 404


async def test_however_many_ask_it_is_made_once_in_a_while(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "FRESH", 3600.0)
    await served.keep(1, "Assinatura")
    asked: list[str] = []
    links = served.store.links

    async def counting(target: str, *bounds: Any) -> Any:
        asked.append(target)
        return await links(target, *bounds)

    monkeypatch.setattr(served.store, "links", counting)
    for _ in range(5):
        assert await served.titles() == ["Assinatura"]
    await served.get("/feeds/agenda/another-secret-of-it.ics")
    assert asked == ["agenda"], "and never for who knows no secret"
    served.targets["agenda"] = feed(title="Outra")
    _, body = await served.get()
    assert b"X-WR-CALNAME:Outra\r\n" in body, "new rules count at once"


async def test_of_very_many_those_that_are_over_last_are_served(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handlers, "MOST", 2)
    for number, day in enumerate(("24", "26", "25")):
        await served.keep(number, day, over=f"2026-12-{day}T12:00:00Z")
    assert await served.titles() == ["26", "25"]


async def test_a_store_that_cannot_be_read_is_asked_again_later(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_: Any) -> Any:
        raise StoreError("disk I/O error")

    monkeypatch.setattr(served.store, "links", failing)
    answer, body = await served.get()
    assert (answer.status, answer.headers["Retry-After"], body) == (503, "60", b"")
