"""The reloader: a saved change comes into force, a broken one does not, and neither takes a sleep to see."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread, current_thread, main_thread
from typing import Any

import pytest
from structlog.testing import capture_logs
from watchfiles import awatch

from bridge.app.reloader import Reloader, fingerprint
from bridge.delivery.announcer import Announcer
from bridge.errors import SettingsError
from bridge.options import InvalidConfigurationError, Problem
from bridge.ruleset import Ruleset
from tests.support.clock import ManualClock
from tests.support.locked import lock

RULES = """\
version: 1
sources: {crm: {type: rdstation_crm}}
targets: {screen: {type: log}}
routes:
  - name: losses
    on: deal.lost
    deliver:
      - {to: screen, template: lost.j2}
"""


class Adopted:
    """Remembers the rulesets that came into force, and can be waited for."""

    def __init__(self) -> None:
        self.rulesets: list[Ruleset] = []
        self._news = asyncio.Event()

    def __call__(self, ruleset: Ruleset) -> None:
        self.rulesets.append(ruleset)
        self._news.set()

    async def reached(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.rulesets) < count:
                self._news.clear()
                await self._news.wait()


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("bridge.app.reloader.SETTLE", 0)
    path = tmp_path / "routes.yaml"
    path.write_text(RULES)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/lost.j2").write_text("{{ deal.name }}")
    return path


def reloader_of(rules: Path, adopted: Adopted) -> Reloader:
    return Reloader(rules, {}, ManualClock(), adopted)


async def started(rules: Path) -> tuple[Reloader, Adopted]:
    """Return a reloader that has put its first rules into force, and what it put them into force with."""
    adopted = Adopted()
    reloader = reloader_of(rules, adopted)
    await reloader.load()
    reloader.start()
    return reloader, adopted


async def take_a_change(rules: Path) -> None:
    """Run a reloader until it has put a change into force, by itself."""
    reloader, adopted = await started(rules)
    running = asyncio.create_task(reloader.run())
    rules.write_text(RULES.replace("losses", "edited"))
    await adopted.reached(2)
    running.cancel()
    assert [route.name for route in reloader.ruleset.routes] == ["edited"]


async def test_the_first_rules_are_loaded_before_they_are_in_force(rules: Path) -> None:
    adopted = Adopted()
    reloader = reloader_of(rules, adopted)
    await reloader.load()
    assert adopted.rulesets == []
    reloader.start()
    assert adopted.rulesets == [reloader.ruleset]


async def test_broken_first_rules_are_an_error(rules: Path) -> None:
    rules.write_text("version: 2")
    with pytest.raises(InvalidConfigurationError):
        await reloader_of(rules, Adopted()).load()


async def test_what_changed_is_told_and_the_first_rules_are_no_change(rules: Path) -> None:
    with capture_logs() as lines:
        reloader, _ = await started(rules)
        rules.write_text(RULES.replace("deal.lost", "deal.won"))
        await reloader.reload()
        await reloader.reload()
    assert [line["change"] for line in lines if line["event"] == "rules changed"] == [
        'route "losses": on deal.lost → deal.won'
    ]


@pytest.mark.parametrize("file", ["routes.yaml", "templates/lost.j2"])
async def test_a_saved_file_comes_into_force_by_itself(rules: Path, file: str) -> None:
    reloader, adopted = await started(rules)
    running = asyncio.create_task(reloader.run())
    changed = rules.parent / file
    changed.write_text(changed.read_text() + "\n")
    await adopted.reached(2)
    running.cancel()
    assert adopted.rulesets[0].revision != adopted.rulesets[1].revision


class Watch:
    """Listens along with the reloader: the names of the files whose changes wake it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.heard: set[str] = set()
        self._news = asyncio.Event()
        monkeypatch.setattr("bridge.app.reloader.awatch", self._listen)

    async def hears_of(self, name: str, act: Callable[[], object]) -> None:
        """Act until that is heard; the watch may not stand yet."""
        async with asyncio.timeout(10):
            while name not in self.heard:
                self._news.clear()
                act()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), 0.2)

    async def _listen(self, folder: Path, **how: Any) -> AsyncIterator[object]:
        async for changes in awatch(folder, **how, step=1):
            self.heard.update(Path(path).name for _, path in changes)
            self._news.set()
            yield changes


async def test_a_file_that_is_none_of_the_rules_wakes_nobody_however_busy(
    rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch(monkeypatch)
    reloader, _ = await started(rules)
    running = asyncio.create_task(reloader.run())
    await watch.hears_of("routes.yaml", lambda: rules.write_text(RULES))
    watch.heard.clear()
    (rules.parent / "log.txt").write_text("busy")
    (rules.parent / "bridge.db-wal").write_text("busy")
    await watch.hears_of("routes.yaml", lambda: rules.write_text(RULES))
    running.cancel()
    assert watch.heard == {"routes.yaml"}


async def test_a_link_on_the_way_to_the_rules_wakes_it(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules.rename(rules.parent / "templates/routes.yaml")
    (rules.parent / "now").symlink_to("templates")
    rules.symlink_to("now/routes.yaml")

    def swap() -> None:
        (rules.parent / "next").symlink_to("templates")
        (rules.parent / "next").rename(rules.parent / "now")

    watch = Watch(monkeypatch)
    reloader, _ = await started(rules)
    running = asyncio.create_task(reloader.run())
    await watch.hears_of("now", swap)
    running.cancel()
    assert "routes.yaml" not in watch.heard, "the rules themselves were not touched"


async def test_an_included_file_comes_into_force_by_itself_even_one_that_is_new(rules: Path) -> None:
    (rules.parent / "routes.d").mkdir()
    rules.write_text(RULES + "include: routes.d/*.yaml\n")
    reloader, adopted = await started(rules)
    running = asyncio.create_task(reloader.run())
    part = "routes:\n  - {name: won, on: deal.won, deliver: [{to: screen, text: x}]}\n"
    for count, text in enumerate((part, part + "# edited\n"), 2):
        (rules.parent / "routes.d/team.yaml").write_text(text)
        await adopted.reached(count)
    (rules.parent / "routes.d/team.yaml").unlink()
    await adopted.reached(4)
    running.cancel()
    assert [len(each.routes) for each in adopted.rulesets] == [1, 2, 2, 1]


async def test_a_folder_that_is_included_later_is_watched_from_then_on(
    rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (rules.parent / "later").mkdir()
    monkeypatch.setattr("bridge.app.reloader.POLL", 600)
    reloader, adopted = await started(rules)
    running = asyncio.create_task(reloader.run())
    heard = asyncio.Event()
    listen = reloader._listen

    async def listening(folder: Path) -> None:
        if folder.name == "later":
            heard.set()
        await listen(folder)

    monkeypatch.setattr(reloader, "_listen", listening)
    reloader.ask()
    await adopted.reached(2)
    rules.write_text(RULES + "include: later/*.yaml\n")
    assert not heard.is_set()
    reloader.ask()
    await asyncio.wait_for(heard.wait(), 10)
    running.cancel()


async def test_broken_rules_that_an_included_file_mends_come_into_force(rules: Path) -> None:
    reloader, adopted = await started(rules)
    part = rules.parent / "part.yaml"
    part.write_text("routes: [{name: losses}]\n")
    rules.write_text(RULES + "include: part.yaml\n")
    with pytest.raises(InvalidConfigurationError, match=r"part\.yaml:1:"):
        await reloader.reload()
    running = asyncio.create_task(reloader.run())
    assert reloader.problems
    part.write_text("{}\n")
    await adopted.reached(2)
    running.cancel()
    assert reloader.ruleset is adopted.rulesets[1]
    assert not reloader.problems


async def test_content_is_compared_even_if_no_watch_hears_of_the_change(
    rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deaf(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Reloader, "_listen", deaf)
    monkeypatch.setattr("bridge.app.reloader.POLL", 0.01)
    await take_a_change(rules)


async def test_broken_rules_are_refused_and_told_until_they_are_mended(rules: Path) -> None:
    reloader, adopted = await started(rules)
    first = reloader.ruleset
    rules.write_text(RULES.replace("deal.lost", "deal.lots"))
    with pytest.raises(InvalidConfigurationError):
        await reloader.reload()
    assert reloader.ruleset is first
    [problem] = reloader.problems
    assert isinstance(problem, Problem)
    assert problem.code == "unknown-event"
    rules.write_text(RULES)
    await reloader.reload()
    assert reloader.problems == ()
    assert len(adopted.rulesets) == 2


class Listener(Announcer):
    """Remembers what it was told of the rules."""

    def __init__(self) -> None:
        self.told: list[tuple[str, ...]] = []

    def rules_refused(self, file: str, revision: str, problems: Sequence[str]) -> None:
        self.told.append(("refused", file, revision, *problems))

    def rules_loaded(self, file: str, revision: str) -> None:
        self.told.append(("loaded", file, revision))


async def test_people_are_told_of_what_was_refused_and_of_what_came_into_force(rules: Path) -> None:
    listener, refusing = Listener(), False

    def adopt(_: Ruleset) -> None:
        if refusing:
            raise SettingsError("no room for a secret")

    reloader = Reloader(rules, {}, ManualClock(), adopt, listener)
    await reloader.load()
    reloader.start()
    revision = reloader.ruleset.revision
    rules.write_text(RULES.replace("deal.lost", "deal.lots"))
    with pytest.raises(InvalidConfigurationError) as caught:
        await reloader.reload()
    rules.write_text(RULES)
    refusing = True
    with pytest.raises(SettingsError):
        await reloader.reload()
    refusing = False
    await reloader.reload()
    assert listener.told == [
        ("loaded", "routes.yaml", revision),
        ("refused", "routes.yaml", revision, str(caught.value)),
        ("refused", "routes.yaml", revision, "no room for a secret"),
        ("loaded", "routes.yaml", revision),
    ]


async def test_rules_that_cannot_be_put_into_force_leave_the_old_ones(rules: Path) -> None:
    refusing = False

    def adopt(_: Ruleset) -> None:
        if refusing:
            raise SettingsError("no room for a secret")

    reloader = Reloader(rules, {}, ManualClock(), adopt)
    with pytest.raises(RuntimeError, match="no ruleset"):
        _ = reloader.ruleset
    await reloader.load()
    reloader.start()
    first, refusing = reloader.ruleset, True
    with pytest.raises(SettingsError, match="no room"):
        await reloader.reload()
    assert reloader.ruleset is first


async def test_what_rules_need_and_cannot_have_is_told_and_asked_for_again(
    rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.app.reloader.POLL", 0.01)
    reloader, adopted = await started(rules)
    refusals, refused = [SettingsError("no room for a secret")] * 2, asyncio.Event()

    def needing(ruleset: Ruleset) -> None:
        if not refusals:
            return adopted(ruleset)
        if len(refusals) == 1:
            refused.set()
        raise refusals.pop()

    monkeypatch.setattr(reloader, "_adopt", needing)
    revision = reloader.ruleset.revision
    running = asyncio.create_task(reloader.run())
    rules.write_text(RULES.replace("deal.lost", "deal.won"))
    await asyncio.wait_for(refused.wait(), 10)
    assert [str(problem) for problem in reloader.problems] == ["no room for a secret"]
    await adopted.reached(2)
    assert (reloader.problems, reloader.ruleset.revision == revision) == ((), False)
    running.cancel()


async def test_rules_that_meet_a_defect_are_refused_like_broken_ones(
    rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.app.reloader.POLL", 0.01)
    reloader, adopted = await started(rules)
    defects, met = [ZeroDivisionError("hush"), KeyError("hush")], asyncio.Event()

    def failing(ruleset: Ruleset) -> None:
        if not defects:
            return adopted(ruleset)
        defect = defects.pop()
        if not defects:
            met.set()
        raise defect

    monkeypatch.setattr(reloader, "_adopt", failing)
    with capture_logs() as lines, pytest.raises(InvalidConfigurationError, match="bridge-defect") as refused:
        await reloader.reload()
    assert reloader.problems == refused.value.problems
    assert "hush" not in str(refused.value)
    assert [line["event"] for line in lines] == ["loading failed", "rules refused"]
    assert "KeyError" in repr(lines[0]["exc_info"].__cause__)
    running = asyncio.create_task(reloader.run())
    rules.write_text(RULES + "# one\n")
    await asyncio.wait_for(met.wait(), 10)
    rules.write_text(RULES + "# two\n")
    await adopted.reached(2)
    running.cancel()


async def test_a_fingerprint_that_cannot_be_taken_ends_nothing(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.app.reloader.POLL", 0.01)
    told = asyncio.Event()
    reloader, adopted = await started(rules)

    def failing(_: object) -> str:
        told.set()
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr("bridge.app.reloader.fingerprint", failing)
        running = asyncio.create_task(reloader.run())
        await asyncio.wait_for(told.wait(), 5)
    await adopted.reached(2)
    running.cancel()
    assert reloader.problems == ()


async def test_two_reloads_at_once_come_one_after_the_other(rules: Path) -> None:
    reloader, adopted = await started(rules)
    first, second = await asyncio.gather(reloader.reload(), reloader.reload())
    assert adopted.rulesets[1:] == [first, second]
    assert reloader.ruleset is second


async def test_a_folder_that_cannot_be_watched_is_compared_instead(
    rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("inotify watch limit reached")

    monkeypatch.setattr("bridge.app.reloader.awatch", refuse)
    monkeypatch.setattr("bridge.app.reloader.POLL", 0.01)
    await take_a_change(rules)


async def test_a_signal_reloads_what_has_not_changed(rules: Path) -> None:
    reloader, adopted = await started(rules)
    running = asyncio.create_task(reloader.run())
    reloader.ask()
    await adopted.reached(2)
    running.cancel()
    first, second = adopted.rulesets
    assert second is not first
    assert second.revision == first.revision


@pytest.mark.parametrize(
    ("locked", "listed", "code"),
    [
        ("templates/lost.j2", False, "template-syntax"),
        ("templates/deep", False, "template-syntax"),
        ("templates/deep", True, "template-syntax"),
        ("templates", False, "template-syntax"),
        ("templates", True, "template-syntax"),
        (".", False, "unreadable-file"),
    ],
)
async def test_what_may_not_be_read_is_refused_and_ends_nothing(
    rules: Path, monkeypatch: pytest.MonkeyPatch, locked: str, code: str, *, listed: bool
) -> None:
    (rules.parent / "templates/deep").mkdir()
    (rules.parent / "templates/deep/more.j2").write_text("x")
    rules.write_text(RULES + "      - {to: screen, template: deep/more.j2}\n")
    reloader, adopted = await started(rules)
    monkeypatch.setattr("bridge.app.reloader.POLL", 0.01)
    with monkeypatch.context() as patched:
        lock(patched, rules.parent / locked, listed=listed)
        running = asyncio.create_task(reloader.run())
        with pytest.raises(InvalidConfigurationError) as refused:
            await reloader.reload()
    assert {problem.code for problem in refused.value.problems} == {code}
    await adopted.reached(2)
    running.cancel()


def test_a_fingerprint_is_of_names_and_contents_and_bears_missing_files(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("x")
    before = fingerprint([one, two])
    assert before == fingerprint([one, two])
    two.write_text("x")
    assert fingerprint([one, two]) != before


def test_a_fingerprint_does_not_wait_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    pipe = fingerprint([tmp_path / "pipe"])
    (tmp_path / "pipe").unlink()
    assert pipe == fingerprint([tmp_path / "pipe"]), "as if it were not there"


def test_of_a_file_too_large_to_be_used_the_beginning_and_its_status_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.app.reloader.LARGEST", 10)
    large = tmp_path / "dump"
    prints = []
    for content, written in [(b"x" * 20, 1), (b"x" * 15 + b"y" * 5, 1), (b"x" * 20, 2), (b"x" * 21, 1), (b"y" * 20, 1)]:
        large.write_bytes(content)
        os.utime(large, (written, written))
        prints.append(fingerprint([large]))
    assert prints[0] == prints[1], "what lies behind is not read"
    assert len(set(prints)) == len(prints) - 1


async def test_files_are_looked_at_beside_the_loop(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[Thread] = []

    def looked(paths: Iterable[Path]) -> str:
        threads.append(current_thread())
        return fingerprint(paths)

    monkeypatch.setattr("bridge.app.reloader.fingerprint", looked)
    monkeypatch.setattr("bridge.app.reloader.POLL", 0.01)
    await take_a_change(rules)
    assert main_thread() not in threads
    assert len(threads) > 2


def test_a_fingerprint_takes_any_name(tmp_path: Path) -> None:
    latin = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt"))
    assert fingerprint([latin]) != fingerprint([])
