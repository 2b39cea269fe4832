"""Which types of source and target there are: the folder is the registry, and entry points add to it."""

import importlib
import inspect
import pkgutil
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import TypeVar

from bridge.component.source import AnySource, Source
from bridge.component.target import AnyTarget, Target
from bridge.errors import SettingsError

ClassT = TypeVar("ClassT")


def source_types() -> dict[str, type[AnySource]]:
    """Return every type of source by its name in YAML.

    Raises:
        SettingsError: an installed component cannot be loaded, or takes a name that is taken.
    """
    return dict(_sources())


def target_types() -> dict[str, type[AnyTarget]]:
    """Return every type of target by its name in YAML; raises as ``source_types`` does."""
    return dict(_targets())


@cache
def _sources() -> dict[str, type[AnySource]]:
    return _discover("bridge.sources", Source)  # type: ignore[type-abstract]  # it is asked about, never made


@cache
def _targets() -> dict[str, type[AnyTarget]]:
    return _discover("bridge.targets", Target)  # type: ignore[type-abstract]  # the same


def _discover(group: str, base: type[ClassT]) -> dict[str, type[ClassT]]:
    """Join the modules of a package and the entry points of the group of the same name."""
    types = _shipped(group, base)
    for entry in entry_points(group=group):
        if entry.name in types:
            raise SettingsError(f"the installed component {_origin(entry)} takes a name that is taken")
        types[entry.name] = _installed(entry, base)
    return types


def _shipped(package: str, base: type[ClassT]) -> dict[str, type[ClassT]]:
    folder = importlib.import_module(package).__path__
    names = sorted(module.name for module in pkgutil.iter_modules(folder) if not module.name.startswith("_"))
    return {name: _only_class(importlib.import_module(f"{package}.{name}"), base) for name in names}


def _only_class(module: ModuleType, base: type[ClassT]) -> type[ClassT]:
    """Return the one class of a module that is a component: defined there, and not abstract."""
    found = [
        member
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, base) and not inspect.isabstract(member) and member.__module__.startswith(module.__name__)
    ]
    if len(found) != 1:
        raise TypeError(f"{module.__name__} must define exactly one {base.__name__}, not {len(found)}")
    return found[0]


def _installed(entry: EntryPoint, base: type[ClassT]) -> type[ClassT]:
    try:
        loaded = entry.load()
    except Exception as error:  # a stranger's module may fail in any way, and the operator must learn whose it is
        raise SettingsError(f"the installed component {_origin(entry)} cannot be loaded: {error}") from error
    if not (inspect.isclass(loaded) and issubclass(loaded, base)):
        raise SettingsError(f"the installed component {_origin(entry)} is no {base.__name__.lower()}")
    return loaded


def _origin(entry: EntryPoint) -> str:
    return f'"{entry.name}" ({entry.value})'
