import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bridge.cli.main import COMMANDS, bridge
from bridge.errors import BridgeError, RequestRefusedError, SettingsError
from bridge.options import InvalidConfigurationError, Place, Problem

PAGE = (Path(__file__).parents[2] / "docs/reference/cli.md").read_text(encoding="utf-8")
EVERYWHERE = {"--help"}


def command_of(name: str) -> click.Command:
    command: click.Command = importlib.import_module(f"bridge.cli.commands.{name}").command
    return command


def section_of(name: str) -> str:
    found = re.search(rf"^## (bridge {name}\b.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/reference/cli.md has no section for bridge {name}"
    return found[1]


def options_of(name: str) -> set[str]:
    parameters = [each for command in leaves(command_of(name)) for each in command.params]
    return {option for each in parameters if isinstance(each, click.Option) for option in each.opts}


def leaves(command: click.Command) -> Iterator[click.Command]:
    """Yield a command, or those below a group."""
    if not isinstance(command, click.Group):
        yield command
        return
    for below in command.commands.values():
        yield from leaves(below)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_has_every_option_of_a_command_and_no_other(name: str) -> None:
    tables = "\n".join(line.split("|")[1] for line in section_of(name).splitlines() if line.startswith("| `--"))
    assert set(re.findall(r"--[a-z-]+", tables)) == options_of(name) - EVERYWHERE


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_has_the_arguments_of_a_command(name: str) -> None:
    usage = command_of(name).collect_usage_pieces(click.Context(command_of(name)))
    assert section_of(name).splitlines()[0] == " ".join([f"bridge {name}", *usage[1:]])


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("chek", 'there is no command "chek"; did you mean `bridge check`?'),
        ("login", 'there is no command "login"; did you mean `bridge crm login`?'),
        ("zzz", 'there is no command "zzz"'),
    ],
)
def test_a_command_that_is_misspelt_is_told_with_what_was_meant(typed: str, told: str) -> None:
    result = CliRunner().invoke(bridge, [typed])
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == f"Error: {told}"


def test_an_option_that_there_is_not_is_no_command() -> None:
    assert "No such option" in CliRunner().invoke(bridge, ["--hlep"]).stderr


def test_the_page_has_no_command_that_is_not_there() -> None:
    assert re.findall(r"^## bridge (\w+)", PAGE, re.MULTILINE) == list(COMMANDS)


def test_every_module_is_a_command() -> None:
    modules = {path.stem for path in (Path(__file__).parents[2] / "bridge/cli/commands").glob("*.py")}
    assert modules - {"__init__"} == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does_in_a_line(name: str, runner: CliRunner) -> None:
    assert len(command_of(name).get_short_help_str(200)) <= 60
    assert runner.invoke(bridge, [name, "--help"]).exit_code == 0


def raising(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def command() -> None:
        raise error

    monkeypatch.setattr("bridge.cli.commands.version.command", command)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BridgeError("the disk is full"), 1),
        (SettingsError("the disk is full"), 2),
        (RequestRefusedError("the disk is full", "unknown-id"), 1),
        (RequestRefusedError("the disk is full", "bad-filter"), 2),
    ],
)
def test_an_error_of_ours_is_one_sentence(
    error: BridgeError, code: int, runner: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    raising(error, monkeypatch)
    result = runner.invoke(bridge, ["version"])
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", "bridge: the disk is full\n")


@pytest.mark.parametrize(
    "error",
    [
        InvalidConfigurationError([Problem(Place("routes.yaml", 8, 9), "unknown-event", "there is no event")]),
        RequestRefusedError("routes.yaml:8:9: unknown-event: there is no event", "invalid-configuration"),
    ],
)
def test_problems_of_the_rules_are_lines_that_editors_can_open(
    error: BridgeError, runner: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    raising(error, monkeypatch)
    result = runner.invoke(bridge, ["version"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        "routes.yaml:8:9: unknown-event: there is no event",
        "bridge: these rules cannot be used",
    ]


def test_any_other_error_is_a_short_note_without_a_traceback(
    runner: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    raising(ZeroDivisionError("by zero"), monkeypatch)
    result = runner.invoke(bridge, ["version"])
    assert result.exit_code == 1
    assert "ZeroDivisionError: by zero" in result.stderr
    assert "--debug" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("error", [ZeroDivisionError("by zero"), BridgeError("the disk is full")])
def test_debug_shows_where_an_error_comes_from(
    error: Exception, runner: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    raising(error, monkeypatch)
    assert runner.invoke(bridge, ["--debug", "version"]).exception is error


@pytest.mark.parametrize("arguments", [["evnts"], ["--no"], ["events", "--limit", "0"], ["events", "--since", "soon"]])
def test_misuse_is_exit_code_2(arguments: list[str], runner: CliRunner) -> None:
    result = runner.invoke(bridge, arguments)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_the_version_is_quick_to_ask_for_and_imports_nothing_heavy() -> None:
    script = "import sys; sys.argv = ['bridge', 'version']; import bridge.__main__ as m\ntry: m.main()\n"
    script += "finally: print(sorted({'aiohttp', 'pydantic', 'jinja2', 'apsw', 'rich', 'yaml'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603 (ours)
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n\[\]\n", done.stdout)


def test_the_module_runs_as_the_command_does() -> None:
    done = subprocess.run([sys.executable, "-m", "bridge", "nonsense"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: bridge ")
