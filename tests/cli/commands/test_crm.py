"""``bridge crm``: against the simulated CRM on a real socket, over a running daemon and without one."""

import asyncio
import json
import socket
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from threading import Thread
from typing import TypeAlias
from urllib.parse import parse_qs

import pytest
from click.testing import CliRunner, Result

from bridge.cli.main import bridge
from bridge.control.operations import Operations
from bridge.errors import RequestRefusedError
from bridge.remote.repairing import Repairs
from bridge.routing.router import in_order
from bridge.simulator import Simulator
from bridge.store.sqlite import open_store
from tests.support.clock import ManualClock
from tests.support.control import serving
from tests.support.crm import simulated
from tests.support.remotes import DEAL_EVENTS, SECRET, Office, office, rules_text
from tests.support.sink import Sink

OTHER = "https://other.example.com/in/s3cret-of-theirs"
Run: TypeAlias = Callable[..., Awaitable[Result]]


@pytest.fixture
async def crm() -> AsyncIterator[Simulator]:
    async with simulated(client_secret="s3cret") as running:
        yield running


@pytest.fixture
async def hooks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sink]:
    """Where bridge takes webhooks, and the address that it has outside; ``folder`` has forgotten all settings."""
    assert folder.is_dir()
    async with Sink() as taking:
        monkeypatch.setenv("BRIDGE_PUBLIC_URL", f"{taking.url}/")
        yield taking


@pytest.fixture
def run(runner: CliRunner) -> Run:
    """Run a command below ``bridge crm``, while the CRM goes on."""

    async def run(*arguments: str, given: str | None = None) -> Result:
        return await asyncio.to_thread(runner.invoke, bridge, ["crm", *arguments], given)

    return run


@pytest.fixture(params=["v1", "v2"])
async def alone(request: pytest.FixtureRequest, crm: Simulator, hooks: Sink, folder: Path) -> str:
    """No daemon: rules, and for v2 an application that is connected already."""
    (folder / "routes.yaml").write_text(rules_text(crm, request.param))
    if request.param == "v2":
        async with office(crm, folder, "v2"):
            (folder / "data/secrets").mkdir(parents=True)
            (folder / "tokens/crm.tokens").rename(folder / "data/secrets/crm.tokens")
    return f"{hooks.url}/hooks/crm/{SECRET}"


@pytest.fixture
async def daemon(crm: Simulator, folder: Path) -> AsyncIterator[Office]:
    """A daemon that answers, whose rules are not those of the command's folder."""
    (folder / "daemon").mkdir()
    store = await open_store(folder / "data")
    async with (
        office(crm, folder / "daemon", "v2") as made,
        serving(Operations(store, made.host), folder / "data"),
    ):
        yield made
    await store.close()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def registered(crm: Simulator) -> dict[str, str]:
    return {each.event_name: each.url for each in crm.registry}


async def test_sync_list_and_delete_without_a_daemon(alone: str, crm: Simulator, run: Run) -> None:
    tried = await run("webhooks", "sync", "--dry-run")
    assert tried.exit_code == 0, tried.output
    assert "this was a dry run" in tried.stderr
    assert registered(crm) == {}
    done = await run("webhooks", "sync")
    assert [line.split()[:2] for line in done.stdout.splitlines()[1:]] == [["create", event] for event in DEAL_EVENTS]
    assert done.stderr.splitlines()[-1] == "3 created."
    assert registered(crm) == dict.fromkeys(DEAL_EVENTS, alone)
    again = json.loads((await run("webhooks", "sync", "--format", "json")).stdout)
    assert [each["act"] for each in again["steps"]] == ["keep"] * 3
    listed = await run("webhooks", "list")
    assert [line.split()[1:4] for line in listed.stdout.splitlines()[1:]] == [[e, "active", "yes"] for e in DEAL_EVENTS]
    assert SECRET not in listed.output
    one = await run("webhooks", "get", next(iter(crm.registry)).id)
    assert [line.split()[1] for line in one.stdout.splitlines()[1:4]] == [DEAL_EVENTS[0], "active", "yes"]
    assert SECRET not in one.output
    assert json.loads((await run("webhooks", "get", next(iter(crm.registry)).id, "--format", "json")).stdout)["ours"]
    updated = await run("webhooks", "update")
    assert [line.split()[:2] for line in updated.stdout.splitlines()[1:]] == [["update", e] for e in DEAL_EVENTS]
    refused = await run("webhooks", "delete", given="n\n")
    assert refused.exit_code == 1
    assert "3 webhooks" in refused.output
    assert len(registered(crm)) == 3
    dry = await run("webhooks", "delete", "--dry-run")
    assert "this was a dry run" in dry.stderr
    assert len(registered(crm)) == 3
    deleted = await run("webhooks", "delete", "--yes")
    assert deleted.exit_code == 0, deleted.output
    assert deleted.stderr.splitlines()[-1] == "3 deleted."
    assert registered(crm) == {}
    assert "There is nothing to do." in (await run("webhooks", "delete", "--yes")).output


async def test_over_a_daemon_it_is_the_daemons_rules_that_count(daemon: Office, run: Run) -> None:
    assert (await run("webhooks", "sync")).exit_code == 0
    assert daemon.registered() == dict.fromkeys(DEAL_EVENTS, "active")
    daemon.crm.registry.suspend(daemon.address)
    status = await run("status")
    assert status.exit_code == 1, "a webhook of ours is suspended"
    assert "3 suspended" in status.stdout
    assert (await run("webhooks", "sync")).exit_code == 0
    assert daemon.registered() == dict.fromkeys(DEAL_EVENTS, "active")
    [one, *_] = [each.id for each in daemon.crm.registry]
    assert (await run("webhooks", "delete", one, "--yes")).exit_code == 0
    assert len(daemon.registered()) == 2
    missing = await run("webhooks", "delete", "none", "--yes")
    assert missing.exit_code == 1
    assert 'no webhook "none" is registered' in missing.stderr


async def test_a_step_that_fails_is_shown_and_is_exit_code_1(alone: str, crm: Simulator, hooks: Sink, run: Run) -> None:
    hooks.status = 500
    result = await run("webhooks", "sync")
    assert result.exit_code == 1
    assert "did not answer" in " ".join(result.stdout.split())
    assert result.stderr.splitlines()[-1] == "3 failed."
    assert alone not in result.output
    assert registered(crm) == {}


async def test_status_says_whose_account_it_is_and_what_to_do(alone: str, crm: Simulator, run: Run) -> None:
    result = await run("status")
    assert result.exit_code == 0, result.output
    assert "account" in result.stdout
    assert "none of ours; register them: bridge crm webhooks sync" in result.stdout
    told = json.loads((await run("status", "--format", "json")).stdout)
    assert (told["sources"][0]["name"], told["sources"][0]["webhooks"]) == ("crm", {})
    assert registered(crm) == {}
    assert alone not in result.output


async def test_which_webhooks_are_ours_is_not_guessed_where_no_address_is_known(
    alone: str, crm: Simulator, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await run("webhooks", "sync")).exit_code == 0
    monkeypatch.delenv("BRIDGE_PUBLIC_URL")
    status = await run("status")
    assert status.exit_code == 0, status.output
    assert "cannot be told: start bridge, or set BRIDGE_PUBLIC_URL" in " ".join(status.stdout.split())
    listed = await run("webhooks", "list")
    assert [line.split()[3] for line in listed.stdout.splitlines()[1:]] == ["?"] * len(registered(crm))
    one = await run("webhooks", "get", next(iter(crm.registry)).id)
    assert [line.split()[1] for line in one.stdout.splitlines() if "ours" in line] == ["?"]
    assert alone not in listed.output


async def test_status_of_what_does_not_answer_is_exit_code_1(crm: Simulator, folder: Path, run: Run) -> None:
    (folder / "routes.yaml").write_text(rules_text(crm, "v1").replace("token: simulated", "token: wrong"))
    result = await run("status")
    assert result.exit_code == 1
    assert "the CRM refuses the token" in " ".join(result.stdout.split())


async def test_status_without_an_api(crm: Simulator, folder: Path, run: Run) -> None:
    text = rules_text(crm, "v1")
    (folder / "routes.yaml").write_text(text[: text.index(", api:")] + text[text.index('"}}') + 2 :])
    result = await run("status")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "No source has an `api` in the rules: give it a token" in result.stderr


async def test_without_a_public_address_it_is_said_what_to_set(crm: Simulator, folder: Path, run: Run) -> None:
    (folder / "routes.yaml").write_text(rules_text(crm, "v1"))
    result = await run("webhooks", "sync")
    assert result.exit_code == 1
    assert "BRIDGE_PUBLIC_URL" in result.stderr


class Browser:
    """A person who allows access; ``changes`` is what they make of the address that they are led back to."""

    def __init__(self) -> None:
        self.pages: list[str] = []
        self.changes: list[Callable[[str], str]] = [lambda address: address]
        self.answers: list[tuple[int, str]] = []
        self._thread: Thread | None = None

    def open(self, page: str) -> bool:
        self._thread = Thread(target=self._go, args=(page,))
        self._thread.start()
        return True

    def _go(self, page: str) -> None:
        self.pages.append(page)
        for change in self.changes:
            back = consented(page)
            try:
                with urllib.request.urlopen(change(back), timeout=10) as answer:  # noqa: S310 (our own)
                    self.answers.append((answer.status, answer.read().decode()))
            except urllib.error.HTTPError as error:
                self.answers.append((error.code, error.read().decode()))

    def close(self) -> None:
        if self._thread:
            self._thread.join()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def consented(page: str) -> str:
    """Return the address that a page leads back to."""
    try:
        urllib.request.build_opener(_Stay).open(page, timeout=10)
    except urllib.error.HTTPError as answer:
        return str(answer.headers["Location"])
    raise AssertionError("the page led nowhere")


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    browser = Browser()
    monkeypatch.setattr("webbrowser.open", browser.open)
    return browser


@pytest.fixture
async def unconnected(crm: Simulator, folder: Path) -> None:
    (folder / "routes.yaml").write_text(rules_text(crm, "v2"))


@pytest.mark.usefixtures("unconnected")
async def test_login_by_a_browser_that_is_led_back(folder: Path, browser: Browser, run: Run) -> None:
    result = await run("login", "--port", str(free_port()))
    await asyncio.to_thread(browser.close)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Connected with the account of ")
    assert [status for status, _ in browser.answers] == [200]
    kept = folder / "data/secrets/crm.tokens"
    assert kept.stat().st_mode & 0o077 == 0
    assert set(json.loads(kept.read_bytes())) == {"salt", "tokens"}
    assert (await run("status")).exit_code == 0


@pytest.mark.usefixtures("unconnected")
async def test_login_takes_no_code_from_a_page_that_is_not_the_one(browser: Browser, run: Run) -> None:
    browser.changes = [
        lambda address: address.replace("state=", "state=x"),
        lambda address: address.partition("?")[0],
        lambda address: address,
    ]
    result = await run("login", "--port", str(free_port()))
    await asyncio.to_thread(browser.close)
    assert result.exit_code == 0, result.output
    assert [status for status, _ in browser.answers] == [400, 400, 200]
    assert "bridge crm login again" in browser.answers[0][1]


@pytest.mark.usefixtures("unconnected")
@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("access_denied&error_description=O+usu%C3%A1rio+negou%1B", "you did not allow access (O usuário negou"),
        ("access_denied&error_description=", "you did not allow access (access_denied)"),
        ("invalid_scope", "RD Station gives no access (invalid_scope)"),
    ],
)
async def test_login_that_is_refused_ends_at_once_with_the_reason(
    browser: Browser, run: Run, error: str, told: str
) -> None:
    def refused(address: str) -> str:
        head, _, query = address.partition("?")
        return f"{head}?error={error}&state={parse_qs(query)['state'][0]}"

    browser.changes = [lambda address: refused(address).replace("state=", "state=x"), refused]
    result = await run("login", "--port", str(free_port()))
    await asyncio.to_thread(browser.close)
    assert result.exit_code == 1
    assert told in result.stderr
    assert "\x1b" not in result.stderr
    assert [status for status, _ in browser.answers] == [400, 200]
    assert "Access was not allowed" in browser.answers[1][1]


@pytest.mark.usefixtures("unconnected")
async def test_login_by_pasting_a_refusal_ends_with_its_reason(run: Run) -> None:
    pasted = "http://127.0.0.1:8765/callback?error=access_denied&error_description=negado"
    result = await run("login", "--paste", given=f"{pasted}\n")
    assert result.exit_code == 1
    assert "you did not allow access (negado): run it again" in result.stderr


@pytest.mark.usefixtures("unconnected", "browser")
async def test_login_on_a_busy_port_names_the_way_out(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = await run("login", "--port", port)
    assert result.exit_code == 1
    assert f"port {port} cannot be used" in result.stderr
    assert "--port N, and add http://127.0.0.1:N/callback" in result.stderr


@pytest.mark.usefixtures("unconnected")
async def test_login_that_nobody_answers_ends(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webbrowser.open", lambda _: False)
    monkeypatch.setattr("bridge.cli.crm.login.PATIENCE", 0.05)
    result = await run("login", "--port", str(free_port()))
    assert result.exit_code == 1
    assert "nobody allowed access" in result.stderr


@pytest.mark.usefixtures("unconnected")
async def test_login_by_pasting_the_address(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def prompt(text: str, **_: object) -> str:
        asked.append(text)
        return f" {consented(page())} "

    def page() -> str:
        return next(line for line in notes if line.startswith("http"))

    notes: list[str] = []
    monkeypatch.setattr("bridge.cli.screen.note", lambda text: notes.extend(text.splitlines()))
    monkeypatch.setattr("click.prompt", prompt)
    result = await run("login", "--paste")
    assert result.exit_code == 0, result.output
    assert len(asked) == 1


@pytest.mark.usefixtures("unconnected")
@pytest.mark.parametrize(
    ("pasted", "told"),
    [
        ("http://127.0.0.1:8765/callback?code=x&state=wrong", "where the page of an earlier login led to"),
        ("no address", "which begins with http and has code= and state= in it"),
        ("http://[broken", "which begins with http"),
    ],
)
async def test_login_refuses_another_address(run: Run, pasted: str, told: str) -> None:
    result = await run("login", "--paste", given=f"{pasted}\n")
    assert result.exit_code == 1
    assert told in result.stderr


async def test_login_over_a_daemon_connects_the_daemon(daemon: Office, browser: Browser, run: Run) -> None:
    for file in daemon.remotes._folder.iterdir():
        file.unlink()
    daemon.remotes.adopt({})
    daemon.remotes.adopt(daemon.rules.sources)
    assert (await run("status")).exit_code == 1
    result = await run("login", "--port", str(free_port()))
    await asyncio.to_thread(browser.close)
    assert result.exit_code == 0, result.output
    assert (await run("status")).exit_code == 0


async def test_login_with_a_token_has_nothing_to_do(crm: Simulator, folder: Path, run: Run) -> None:
    (folder / "routes.yaml").write_text(rules_text(crm, "v1"))
    result = await run("login")
    assert result.exit_code == 1
    assert "is opened by its token" in result.stderr


async def test_a_code_that_the_crm_refuses_connects_nothing(
    crm: Simulator, folder: Path, browser: Browser, run: Run
) -> None:
    (folder / "routes.yaml").write_text(rules_text(crm, "v2").replace("s3cret}", "wrong}").replace("s3cret,", "wrong,"))
    result = await run("login", "--port", str(free_port()))
    await asyncio.to_thread(browser.close)
    assert result.exit_code == 1
    assert "the CRM gives no access" in result.stderr
    assert not (folder / "data/secrets/crm.tokens").exists()


async def test_an_import_and_a_repair_without_a_daemon_are_routed_by_the_next(
    alone: str, crm: Simulator, run: Run
) -> None:
    nothing = await run("repair")
    assert (nothing.exit_code, nothing.stdout.split(":")[0]) == (0, "Nothing was ever received")
    imported = await run("import")
    assert imported.exit_code == 0, imported.output
    assert f"{len(crm.team.deals)} deals" in imported.stdout
    assert f"{len(crm.team.deals)} events" in imported.stdout
    told = json.loads((await run("import", "--format", "json")).stdout)
    assert (told["purpose"], told["error"]) == ("import", None)
    assert alone not in imported.output
    since = await run("repair", "--since", "2026-11-24T12:00")
    assert since.exit_code == 0, since.output
    assert (await run("repair", "--since", "yesterday")).exit_code == 2


async def test_a_repair_that_fails_is_exit_code_1(crm: Simulator, folder: Path, run: Run) -> None:
    (folder / "routes.yaml").write_text(rules_text(crm, "v1").replace("token: simulated", "token: wrong"))
    result = await run("repair", "--since", "1h")
    assert result.exit_code == 1
    assert "the CRM refuses the token" in " ".join(result.stdout.split())


async def test_over_a_daemon_it_is_the_daemon_that_repairs(
    daemon: Office, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = await run("repair")
    assert "there is no store to repair" in refused.stderr
    monkeypatch.setattr("bridge.cli.crm.repair.EVERY", 0.01)
    store = await open_store(daemon.remotes._folder / "store")
    repairs = Repairs(store, lambda: daemon.rules, daemon.remotes.get, ManualClock(), daemon.remotes._folder)
    object.__setattr__(daemon.host, "repairs", repairs)
    assert "nothing of crm was repaired" in str(await missing(daemon))
    result = await run("import")
    assert result.exit_code == 0, result.output
    assert f"{len(daemon.crm.team.deals)} events" in result.stdout
    assert (await daemon.operations.progress())["added"] == len(daemon.crm.team.deals)
    await store.route(100, lambda *taken: list(in_order(daemon.rules.router.decide, *taken)))
    known = len(daemon.crm.team.deals)
    daemon.crm.team.delete(next(iter(daemon.crm.team.deals.values())))
    assert "1 event, 1 of them of a deletion" in (await run("repair", "--since", "1h", "--deletions")).stdout
    monkeypatch.setattr("bridge.remote.deletions.MANY", 1)
    unsure = " ".join((await run("repair", "--since", "1h")).stdout.split())
    assert f"{known} deals may be deleted; find out: bridge crm repair --deletions" in unsure
    await store.close()


async def missing(daemon: Office) -> RequestRefusedError:
    with pytest.raises(RequestRefusedError) as refusal:
        await daemon.operations.progress()
    with pytest.raises(RequestRefusedError, match="is no time"):
        await daemon.operations.repair(None, "soon")
    return refusal.value
