"""``bridge simulate``: every option has its effect, and what happens is told in lines."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bridge.cli import simulating
from bridge.cli.main import bridge
from bridge.simulator import SimulatorSettings
from tests.support.crm import CrmClient
from tests.support.daemon import ROOT
from tests.support.sink import Sink

OPTIONS: dict[str, tuple[list[str], Any]] = {
    "seed": (["--seed", "7"], 7),
    "deals": (["--deals", "3"], 3),
    "events_per_hour": (["--events-per-hour", "12.5"], 12.5),
    "speed": (["--speed", "60"], 60.0),
    "duplicates": (["--duplicates", "7%"], 0.07),
    "reordered": (["--reordered", "8%"], 0.08),
    "updated_after_created": (["--updated-after-created"], True),
    "deadline": (["--deadline", "500ms"], 0.5),
    "retries": (["--retries", "3"], 3),
    "retry_spacing": (["--retry-spacing", "5s"], timedelta(seconds=5)),
    "suspend_after": (["--suspend-after", "4"], 4),
    "probe": (["--no-probe"], False),
    "token": (["--token", "t"], "t"),
    "client_id": (["--client-id", "i"], "i"),
    "client_secret": (["--client-secret", "s"], "s"),
    "requests_per_minute": (["--requests-per-minute", "0"], 0),
    "ceiling": (["--ceiling", "9"], 9),
    "errors": (["--errors", "1%"], 0.01),
    "unsteady": (["--unsteady", "10%"], 0.1),
    "tasks_by_time": (["--no-tasks-by-time"], False),
}


@pytest.fixture
def asked(
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., tuple[SimulatorSettings, tuple[str, int], str | None, bool]]:
    """Run the command, and return what would be simulated."""
    seen: list[Any] = []

    async def simulate(
        settings: SimulatorSettings, listen: tuple[str, int], post_to: str | None, *, quiet: bool
    ) -> None:
        seen.append((settings, listen, post_to, quiet))

    def run(*arguments: str) -> Any:
        monkeypatch.setattr(simulating, "simulate", simulate)
        result = CliRunner().invoke(bridge, ["simulate", *arguments])
        assert result.exit_code == 0, result.output
        return seen[-1]

    return run


def test_every_setting_has_an_option() -> None:
    assert set(OPTIONS) == {field.name for field in fields(SimulatorSettings)}


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_sets_its_setting_and_no_other(name: str, asked: Callable[..., Any]) -> None:
    arguments, value = OPTIONS[name]
    usual, given = asked()[0], asked(*arguments)[0]
    assert getattr(given, name) == value
    assert getattr(usual, name) != value
    assert {field.name for field in fields(usual) if getattr(usual, field.name) != getattr(given, field.name)} == {name}


def test_by_default_it_misbehaves_a_little_as_the_real_one_does(asked: Callable[..., Any]) -> None:
    settings, listen, post_to, quiet = asked()
    assert settings == SimulatorSettings(duplicates=0.05, reordered=0.05)
    assert (listen, post_to, quiet) == (("127.0.0.1", 8090), None, False)
    assert asked("--listen", "[::1]:1", "--post-to", "http://x", "--quiet")[1:] == (("::1", 1), "http://x", True)


class Running:
    """A simulated CRM as its users start it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self.lines: list[str] = []

    async def start(self, *arguments: str) -> None:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bridge", "simulate", "--listen", "127.0.0.1:0", *arguments),
            cwd=self._folder,
            env={**environ, "PYTHONPATH": ROOT},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def until(self, pattern: str) -> re.Match[str]:
        """Read lines until one of them is such; return the match."""
        assert self._process
        assert self._process.stdout
        async with asyncio.timeout(30):
            while line := (await self._process.stdout.readline()).decode():
                self.lines.append(line)
                if found := re.search(pattern, line):
                    return found
        raise AssertionError(self.lines)

    async def end(self, which: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        assert self._process
        self._process.send_signal(which)
        rest, _ = await asyncio.wait_for(self._process.communicate(), 20)
        return self._process.returncode or 0, rest.decode()

    async def ended(self) -> tuple[int, str]:
        assert self._process
        out, _ = await asyncio.wait_for(self._process.communicate(), 20)
        return self._process.returncode or 0, out.decode()

    async def kill(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    prepared = Running(tmp_path)
    yield prepared
    await prepared.kill()


async def test_it_tells_where_it_is_and_what_happens_until_it_is_interrupted(running: Running) -> None:
    async with Sink() as sink:
        await running.start("--events-per-hour", "40000", "--post-to", f"{sink.url}/hooks/s3cret")
        url = (await running.until(r"is ready at (http://127\.0\.0\.1:\d+); Ctrl-C"))[1]
        await running.until(r"API v1 +token simulated")
        await running.until(rf"webhooks +every event, to {sink.url}/…")
        await running.until(r"^\d\d:\d\d:\d\d  deal {10}\S.* → ")
        async with CrmClient(url) as client:
            assert len((await client.v1("webhooks")).body["webhooks"]) == 24
        await running.until(r"api v1 +GET +/webhooks 200")
        await sink.reached(3)
        code, rest = await running.end()
    assert code == 0
    assert re.search(r"\d+ won, \d+ lost; \d+ webhooks delivered, no webhooks lost for good\n$", rest)
    assert {got.path for got in sink.got} == {"/hooks/s3cret"}
    assert "s3cret" not in "".join(running.lines) + rest
    assert "\x1b" not in "".join(running.lines), "no colours when piped"


async def test_quiet_it_tells_only_the_beginning_and_the_end(running: Running) -> None:
    await running.start("--events-per-hour", "40000", "--quiet")
    await running.until(r"events +40000 an hour, seed 1")
    await asyncio.sleep(1)
    code, rest = await running.end(signal.SIGTERM)
    assert code == 0
    assert re.fullmatch(r"\n\n\d+ won, \d+ lost; no webhooks delivered, no webhooks lost for good\n", rest)


async def test_what_goes_wrong_with_a_webhook_is_told(running: Running) -> None:
    await running.start("--events-per-hour", "40000", "--post-to", "http://127.0.0.1:9/", "--suspend-after", "3")
    await running.until(r"crm_\w+ .*try 1 reached nobody")
    await running.until(r"suspended +24 webhooks of http://127\.0\.0\.1:9/… after 3 failures in a row")
    assert sum("reached nobody" in line for line in running.lines) >= 3
    code, rest = await running.end()
    assert code == 0
    assert "; no webhooks delivered, " in rest


async def test_an_address_to_post_to_that_is_none_is_misuse(running: Running) -> None:
    await running.start("--post-to", "nowhere")
    assert await running.ended() == (2, "bridge: --post-to is invalid: nowhere\n")


async def test_an_address_that_is_taken_is_misuse_with_the_way_out(running: Running, tmp_path: Path) -> None:
    await running.start()
    address = (await running.until(r"at http://(\S+);"))[1]
    second = Running(tmp_path)
    await second.start("--listen", address)
    code, told = await second.ended()
    assert code == 2
    assert re.fullmatch(rf"bridge: cannot listen on {address}: .+; set --listen to another address\n", told)
