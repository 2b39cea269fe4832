"""The page on architecture names what there is: the tree, the layers, the states, the words, the parts of a target."""

import inspect
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_type_hints

import pytest

import bridge
from bridge import model
from bridge.component import Answer, Request, Target
from bridge.component.source import Source
from bridge.delivery.dispatcher import BATCH, COURTESY
from bridge.delivery.rescuer import EVERY
from bridge.model import Breaker, DeferralKind, DeliveryState, EventState, Message, Outcome, Trigger, new_id
from bridge.store import base
from bridge.store.sqlite.reader import THREADS
from bridge.store.sqlite.writer import GROUP
from tests.docs.pages import ROOT, Block, blocks, code, codes, rows

PAGE = ROOT / "docs/explanation/architecture.md"
PACKAGE = Path(bridge.__file__).parent
COMPONENTS = ("sources", "targets")
"""Where a module is a type, and so is named like a package."""
TEXT = PAGE.read_text("utf-8")


def below(heading: str) -> Block:
    """Return the first block below a heading."""
    line = TEXT.splitlines().index(heading) + 1
    return next(block for block in blocks(PAGE) if block.line > line)


# the tree


def shown_tree(text: str) -> Iterator[str]:
    """Yield each path of a tree that is written by indentation."""
    above: list[str] = []
    for line in text.splitlines()[1:]:
        name = line.split()[0]
        depth = (len(line) - len(line.lstrip())) // 2 - 1
        above[depth:] = [name]
        yield "".join(above)


def real_tree() -> set[str]:
    """Return every folder, and every module of the package itself and of those that hold components."""
    folders = {path for path in PACKAGE.rglob("*/") if path.is_dir() and "__pycache__" not in path.parts}
    modules = {path for folder in ("", *COMPONENTS) for path in (PACKAGE / folder).glob("*.py")}
    named = {path.relative_to(PACKAGE).as_posix() + "/" for path in folders}
    return named | {path.relative_to(PACKAGE).as_posix() for path in modules if path.name != "__init__.py"}


def test_the_tree_names_every_package_and_no_other() -> None:
    shown = list(shown_tree(below("## The tree").text))
    assert sorted(shown) == sorted(real_tree())


def test_each_line_of_the_tree_says_what_is_there() -> None:
    assert [line for line in below("## The tree").text.splitlines()[1:] if len(line.split()) < 2] == []


def test_a_tree_is_read_as_it_is_indented() -> None:
    assert list(shown_tree("x/\n  a/  one\n    b/  two\n  c.py  three\n")) == ["a/", "a/b/", "c.py"]


@pytest.mark.parametrize("name", [name for row in rows(PAGE, "The tree") for name in codes(row[0])])
def test_what_stands_beside_the_package_is_there(name: str) -> None:
    assert (ROOT / name).exists()


@pytest.mark.parametrize("name", [code(row[0]) for row in rows(PAGE, "Tests")])
def test_the_folders_of_tests_are_there(name: str) -> None:
    assert (ROOT / name).is_dir()


# who may import whom


def contracts() -> list[dict[str, Any]]:
    read = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    found: list[dict[str, Any]] = read["tool"]["importlinter"]["contracts"]
    return found


def test_the_layers_are_those_of_pyproject() -> None:
    [layers] = [contract["layers"] for contract in contracts() if contract["type"] == "layers"]
    assert below("## Who may import whom").text.splitlines() == [layer.replace("bridge.", "") for layer in layers]


def test_every_layer_is_there_and_every_package_has_one() -> None:
    layered = set(re.findall(r"\w+", below("## Who may import whom").text))
    assert layered == {module.name for module in pkgutil.iter_modules([str(PACKAGE)])} - {"__main__"}


def test_the_contracts_are_those_of_pyproject() -> None:
    assert [code(row[0]) for row in rows(PAGE, "Who may import whom")] == [each["name"] for each in contracts()]


# states

STATES: dict[str, type[StrEnum]] = {
    "States of events": EventState,
    "States of deliveries": DeliveryState,
    "Outcomes of attempts": Outcome,
    "States of targets": Breaker,
}
TRIGGERS = get_args(Trigger)
WHO = ("person", "bridge")
"""Who may have paused a target."""


def shown_states(heading: str) -> list[str]:
    """Return the first cell of each row; triggers of attempts, and who pauses targets, have tables of their own."""
    return [state for row in rows(PAGE, heading) if (state := code(row[0])) not in {*TRIGGERS, *WHO}]


@pytest.mark.parametrize("heading", STATES)
def test_the_states_are_those_of_the_model(heading: str) -> None:
    assert sorted(shown_states(heading)) == sorted(STATES[heading])


def test_the_triggers_of_attempts_are_those_of_the_model() -> None:
    assert {code(row[0]) for row in rows(PAGE, "Outcomes of attempts")} - set(Outcome) == set(TRIGGERS)


def test_the_states_are_those_that_the_store_takes() -> None:
    steps = files("bridge.store.sqlite").joinpath("migrations").iterdir()
    schema = "".join(step.read_text("utf-8") for step in sorted(steps, key=lambda step: step.name))
    taken = {frozenset(re.findall(r"'(\w+)'", states)) for states in re.findall(r"CHECK \(\S+ IN \(('.+?)\)", schema)}
    shown = {frozenset(shown_states(heading)) for heading in STATES}
    former = frozenset(shown_states("States of deliveries")) - {DeliveryState.DEFERRED}
    assert taken == {*shown, former, frozenset(TRIGGERS), frozenset(WHO), frozenset(get_args(DeferralKind))}


@pytest.mark.parametrize("heading", ["States of deliveries", "Outcomes of attempts"])
def test_what_a_delivery_becomes_is_a_state(heading: str) -> None:
    becomes = [state for row in rows(PAGE, heading) if len(row) > 2 for state in codes(row[2])]
    assert becomes
    assert set(becomes) <= set(DeliveryState)


# words

WORDS = rows(PAGE, "Words")
IN_CODE = [path for row in [*WORDS, *rows(PAGE, "Where settings live")] for path in codes(row[2])]


def found(path: str) -> object:
    """Return what a dotted path below ``bridge`` names."""
    try:
        return pkgutil.resolve_name(f"bridge.{path}")
    except (ImportError, AttributeError):
        return None


@pytest.mark.parametrize("path", IN_CODE)
def test_a_word_is_in_the_code_where_the_page_says(path: str) -> None:
    assert found(path) is not None


@pytest.mark.parametrize("path", ["model.Job", "nothing", "model.Event.colour"])
def test_a_word_that_is_not_in_the_code_would_be_found(path: str) -> None:
    assert found(path) is None


def nouns(module: ModuleType) -> Iterator[str]:
    for name, member in inspect.getmembers(module, inspect.isclass):
        if member.__module__ == module.__name__:
            yield f"{module.__name__.removeprefix('bridge.')}.{name}"


@pytest.mark.parametrize("module", [model, base], ids=lambda module: module.__name__)
def test_every_noun_has_its_word(module: ModuleType) -> None:
    assert set(nouns(module)) - set(IN_CODE) == set()


def test_no_word_stands_twice_and_none_is_without_a_meaning() -> None:
    words = [word for word, *_ in WORDS]
    assert sorted(set(words)) == sorted(words)
    assert all(meaning for _, meaning, _ in WORDS)


def test_ids_begin_as_the_page_says() -> None:
    prefixes = get_args(get_type_hints(new_id)["prefix"])
    assert {id_ for _, meaning, _ in WORDS for id_ in codes(meaning) if id_.endswith("_…")} == {
        f"{prefix}_…" for prefix in prefixes
    }


# what runs, and what a component is made of


def test_the_numbers_are_those_of_the_code() -> None:
    told = " ".join(TEXT.split())
    assert f"takes up to {BATCH} received events" in told
    assert f"takes what waits, up to {GROUP} writes" in told
    assert f"then every {EVERY:g} seconds" in told
    assert (COURTESY, THREADS) == (1.0, 2), "the page says: a second, two threads"


def test_a_source_has_to_write_what_the_page_says() -> None:
    assert sorted(code(row[0]) for row in rows(PAGE, "A source")) == sorted(Source.__abstractmethods__)


class Service:
    """An ``Http`` that accepts everything."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    async def deliver(self, request: Request) -> Answer:
        self.asked.append(request)
        return Answer(201, {}, b"thanks")

    call = deliver


async def test_the_target_on_the_page_works() -> None:
    names: dict[str, Any] = {"__name__": "bridge.targets.billing"}
    exec(compile(below("## A target").text, "billing.py", "exec"), names)  # noqa: S102 (the page is ours)
    kind = names["Billing"]
    assert issubclass(kind, Target)
    assert Target.__abstractmethods__ == {"send"}
    target = kind("billing", kind.Options(token="t"))
    service = Service()
    receipt = await target.send(Message("dlv_1", "deal:1", {"text": "Plano anual"}), None, service)
    assert (receipt.status, receipt.excerpt) == (201, "thanks")
    [request] = service.asked
    assert request.headers["Idempotency-Key"] == "dlv_1"
    assert request.body == b'{"text":"Plano anual"}'
