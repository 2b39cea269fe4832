"""The pages of the targets: no option or key is left out."""

import pkgutil
import re
from datetime import timedelta
from pathlib import Path

import pytest

from bridge import targets
from bridge.component import TargetOptions
from bridge.component.discovery import target_types
from bridge.component.limits import BreakerOptions, RetryOptions
from bridge.config.frame import EntryFrame
from bridge.delivery.retry import RetryPolicy
from bridge.options.quantity import duration

PAGES = Path(__file__).parents[2] / "docs" / "targets"
FILLED_BY_BRIDGE = {"host_in_rules"}


def shipped() -> list[str]:
    """Return the types of targets that are modules of the package."""
    return [module.name for module in pkgutil.iter_modules(targets.__path__)]


def test_there_are_targets_to_look_at() -> None:
    assert {"slack", "http", "log"} <= set(shipped())


@pytest.mark.parametrize("name", shipped())
def test_a_page_names_every_option_and_every_key(name: str) -> None:
    text = (PAGES / f"{name}.md").read_text("utf-8")
    target = target_types()[name]
    fields = {**target.Options.model_fields, **target.Action.model_fields}
    names = {info.alias or name for name, info in fields.items()} - FILLED_BY_BRIDGE
    assert {each for each in names if f"\n| `{each}` |" not in text} == set()


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("### targets", TargetOptions.model_fields),
        ("#### retry", RetryOptions.model_fields),
        ("#### breaker", BreakerOptions.model_fields),
        ("## deliver", EntryFrame.model_fields),
    ],
)
def test_the_page_of_the_rules_names_what_every_target_and_every_entry_takes(heading: str, names: set[str]) -> None:
    section = (PAGES.parent / "reference" / "rules.md").read_text("utf-8").partition(f"\n{heading}\n")[2]
    table = section.partition("\n#")[0]
    assert {each for each in names if f"\n| `{each}` |" not in table} == set()


@pytest.mark.parametrize(
    ("heading", "model"), [("#### retry", RetryPolicy()), ("#### breaker", BreakerOptions())], ids=["retry", "breaker"]
)
def test_the_page_of_the_rules_tells_the_defaults(heading: str, model: object) -> None:
    section = (PAGES.parent / "reference" / "rules.md").read_text("utf-8").partition(f"\n{heading}\n")[2]
    rows = re.findall(r"^\| `(\w+)` \|.*\| `?([^|`]+?)`? \|$", section.partition("\n#")[0], re.MULTILINE)
    assert rows
    for name, default in rows:
        value = getattr(model, name)
        assert value in {duration(default), _seconds(default)} if default[-1].isalpha() else value == float(default)


def _seconds(written: str) -> float:
    length = duration(written)
    assert isinstance(length, timedelta)
    return length.total_seconds()
