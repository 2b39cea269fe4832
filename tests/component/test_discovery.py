from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import EntryPoint, EntryPoints
from types import ModuleType

import pytest

from bridge.component import Source, Target, discovery
from bridge.component.discovery import source_types, target_types
from bridge.errors import SettingsError
from bridge.targets.log import Log, LogOptions


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    def clear() -> None:
        discovery._sources.cache_clear()
        discovery._targets.cache_clear()

    clear()
    yield
    clear()


def install(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    entry = EntryPoint(name, value, "bridge.targets")
    monkeypatch.setattr(discovery, "entry_points", lambda group: EntryPoints([entry] if entry.group == group else []))


def test_the_folder_is_the_registry() -> None:
    assert {"http", "log", "slack"} <= set(target_types())
    assert "rdstation_crm" in source_types()
    assert target_types()["log"] is Log
    assert all(issubclass(source, Source) for source in source_types().values())
    assert all(issubclass(target, Target) for target in target_types().values())


def test_private_modules_are_no_components() -> None:
    assert not [name for name in (*target_types(), *source_types()) if name.startswith("_")]


def test_a_type_that_comes_with_bridge_is_imported_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def noted(name: str) -> ModuleType:
        asked.append(name)
        return import_module(name)

    monkeypatch.setattr(discovery, "import_module", noted)
    types = target_types()
    assert "slack" in types
    assert "nothing" not in types
    assert len(types) == len(list(types))
    assert asked == ["bridge.targets"]
    assert types["log"] is types["log"] is Log
    assert asked == ["bridge.targets", "bridge.targets.log"]
    with pytest.raises(KeyError):
        types["nothing"]


def test_a_component_knows_the_name_of_its_type() -> None:
    assert target_types().name_of(Log("screen", LogOptions())) == "log"


def test_an_installed_component_joins_in(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "paper", "bridge.targets.log:Log")
    assert target_types()["paper"] is Log
    assert "paper" not in source_types()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        (
            "log",
            "bridge.targets.log:Log",
            'the installed component "log" (bridge.targets.log:Log) takes a name that is taken',
        ),
        ("x", "nowhere.at.all:X", "cannot be loaded: No module named 'nowhere'"),
        ("x", "bridge.targets.log:Nothing", "cannot be loaded"),
        ("x", "bridge.targets.log:LogOptions", "is no target"),
        ("x", "bridge.targets.log:framed", "is no target"),
    ],
)
def test_an_installed_component_that_will_not_do_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    install(monkeypatch, name, value)
    with pytest.raises(SettingsError) as caught:
        target_types()
    assert reason in str(caught.value)


def test_a_module_of_ours_holds_exactly_one_component() -> None:
    with pytest.raises(TypeError, match=r"bridge.component.target must define exactly one Target, not 0"):
        discovery._only_class(import_module("bridge.component.target"), Target)  # type: ignore[type-abstract]  # asked about
