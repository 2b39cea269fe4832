"""What the pages show works: rules load, JSON parses, commands and settings exist."""

import json
import re
import shlex
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import click
import pytest

from bridge.app.settings import PREFIX, Settings
from bridge.cli.main import COMMANDS, bridge
from bridge.config import load
from bridge.options import read_yaml
from bridge.rehearsal import check
from bridge.trial import MovedClock, Runner
from tests.docs.fragments import FRAME, UnknownFragmentError, lay_out, whole
from tests.docs.pages import ROOT, Block, blocks, blocks_in, pages

BROKEN = ROOT / "docs/reference/problems.md"
"""Shows mistakes on purpose; ``tests/config/test_broken.py`` holds each of its problems to its code."""
EXPECTED = frozenset({"unused-target", "unused-source", "unreachable"})
"""Of a piece of rules, the warnings that follow from its being a piece."""
MADE_BY_US = frozenset({"BRIDGE_CRM_SECRET", "BRIDGE_DOMAIN"})
"""Variables that rules and the compose file name."""

RULES = [
    block for block in blocks_in("yaml") if block.page != BROKEN and "services:" not in block.text and not block.title
]
PARTS = [block for block in blocks_in("yaml") if block.title]
COMPOSE = [block for block in blocks_in("yaml") if block.page != BROKEN and "services:" in block.text]
LANGUAGES = {"", "yaml", "json", "jinja", "console", "text", "html", "slack", "sql", "nginx"}

COMMAND = re.compile(r"(?:^\$ |\bexec bridge |; |\| )[^#|;]*?\bbridge (?P<rest>(?!bridge\b)[a-z-][^#|;>&)]*)")
SUBSTITUTED = re.compile(r"\$\(([^)]*)\)")


@pytest.mark.parametrize("block", RULES, ids=lambda block: block.place)
def test_rules_on_a_page_have_no_problem(block: Block, tmp_path: Path) -> None:
    _check(block, tmp_path)


@pytest.mark.parametrize("block", [block for block in RULES if "tests:" in block.text], ids=lambda block: block.place)
def test_tests_on_a_page_pass(block: Block, tmp_path: Path) -> None:
    path, environ = lay_out(block, tmp_path)
    clock = MovedClock()
    loaded = load(path, environ, clock)
    results = [Runner(loaded.ruleset, loaded.named, clock).run(trial) for trial in loaded.trials]
    assert [result.failure for result in results if result.failure] == []
    assert results


def _check(block: Block, folder: Path) -> None:
    path, environ = lay_out(block, folder)
    checked = check(path, environ)
    if checked.problems:
        pytest.fail(f"{block.place}\n" + "\n".join(map(str, checked.problems)))
    expected = EXPECTED if whole(block.text) != block.text else frozenset()
    assert [str(warning) for warning in checked.warnings if warning.code not in expected] == []


@pytest.mark.parametrize(
    "text",
    [
        "match: {amount_totl: 5}",
        "match: {amount_total: {gte: much}}",
        "- {to: nobody, text: x}",
        "- {to: screen, text: '{{ deal.nmae }}'}",
        "on: deal.lots",
        "targets: {other: {type: slak}}",
        "routes: [{name: a, on: deal.lost, deliver: []}]",
        "version: 1",
        "- {to: screen, template: nowhere.md.j2}",
    ],
)
def test_a_broken_piece_of_rules_would_be_found(text: str, tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception):
        _check(Block(ROOT / "README.md", 1, "yaml", "", text), tmp_path)


@pytest.mark.parametrize("text", ["just a text", "{some: other, keys: here}", "{}"])
def test_yaml_that_is_no_piece_of_rules_is_refused(text: str) -> None:
    with pytest.raises(UnknownFragmentError):
        whole(text)


def test_the_frame_around_pieces_is_sound_itself(tmp_path: Path) -> None:
    _check(Block(ROOT / "README.md", 1, "yaml", "", json.dumps({"routes": FRAME["routes"]})), tmp_path)


@pytest.mark.parametrize("block", PARTS, ids=lambda block: block.place)
def test_a_part_is_included_by_rules_on_its_page(block: Block) -> None:
    included = [
        item
        for other in RULES
        if other.page == block.page and isinstance(data := read_yaml(other.text.encode(), "x").data, dict)
        for item in [data.get("include")]
        if isinstance(item, str)
    ]
    assert any(fnmatch(block.title, item) for item in included)


@pytest.mark.parametrize("block", COMPOSE, ids=lambda block: block.place)
def test_pieces_of_a_compose_file_fit_the_one_that_comes_with_bridge(block: Block) -> None:
    shipped, shown = (
        read_yaml(text.encode(), "compose.yaml") for text in ((ROOT / "compose.yaml").read_text("utf-8"), block.text)
    )
    assert isinstance(shipped.data, dict)
    assert isinstance(shown.data, dict)
    for section, entries in shown.data.items():
        assert isinstance(entries, dict)
        known = shipped.data[section]
        assert isinstance(known, dict)
        assert entries.keys() <= known.keys()


@pytest.mark.parametrize("block", blocks_in("json"), ids=lambda block: block.place)
def test_json_on_a_page_parses(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_says_which_language_it_is_in(page: Path) -> None:
    assert {block.language for block in blocks(page)} <= LANGUAGES


def _commands() -> Iterator[tuple[str, str]]:
    for block in blocks_in("console"):
        for line in block.text.replace("\\\n", " ").splitlines():
            if line.startswith("$ "):
                yield from ((block.place, command) for command in _commands_in(line))


def _commands_in(line: str) -> Iterator[str]:
    """Yield the command of a line, and those whose output it takes as an argument: ``"$(bridge address crm)"``."""
    for each in (SUBSTITUTED.sub("x", line), *(f"$ {inner}" for inner in SUBSTITUTED.findall(line))):
        if command := COMMAND.search(each):
            yield command["rest"].strip()


def test_a_command_within_another_is_a_command_too() -> None:
    line = '$ bridge send deal.lost --url "$(bridge address crm)" | cat'
    assert list(_commands_in(line)) == ['send deal.lost --url "x"', "address crm"]


@pytest.mark.parametrize(("place", "command"), sorted(set(_commands())))
def test_a_command_on_a_page_exists_with_all_its_options(place: str, command: str) -> None:
    name, *rest = shlex.split(command.replace("…", "x"))
    if name.startswith("-"):
        return
    assert name in COMMANDS, f"{place}: there is no command {name}"
    found = bridge.get_command(click.Context(bridge), name)
    assert found is not None
    known = {option for parameter in found.params for option in parameter.opts} | {"--help", "-h"}
    used = {word.split("=", 1)[0] for word in rest if word.startswith("-") and word != "-"}
    assert used <= known, place


def test_there_are_commands_to_check() -> None:
    assert len({command.split()[0] for _, command in _commands()}) > 8


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_variable_that_a_page_names_is_a_setting(page: Path) -> None:
    settings = {PREFIX + name.upper() for name in Settings.model_fields}
    text = page.read_text("utf-8")
    named = set(re.findall(r"\bBRIDGE_[A-Z]+(?:_[A-Z]+)*\b(?!…)", text))
    in_rules = set(re.findall(r"\$\{(BRIDGE_\w+)", text))
    assert named - in_rules - settings - MADE_BY_US == set()
