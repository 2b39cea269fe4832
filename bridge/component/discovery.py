"""Which types of source and target there are: the folder is the registry, and entry points add to it."""

import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import TypeVar

from bridge.component.source import AnySource, Source
from bridge.component.target import AnyTarget, Target
from bridge.errors import SettingsError

ClassT = TypeVar("ClassT")


class Types(Mapping[str, type[ClassT]]):
    """Types by their names in YAML. Those that come with bridge are imported when asked for: some take long."""

    def __init__(self, shipped: Mapping[str, str], installed: Mapping[str, type[ClassT]], base: type[ClassT]) -> None:
        """Take the modules that come with bridge, and the classes of installed ones."""
        self._shipped = shipped
        self._base = base
        self._loaded = dict(installed)
        self._names = (*shipped, *installed)

    def __getitem__(self, name: str) -> type[ClassT]:
        """Return a type; raises KeyError."""
        if name not in self._loaded:
            self._loaded[name] = _only_class(import_module(self._shipped[name]), self._base)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._names)

    def __len__(self) -> int:
        """Tell how many there are."""
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        """Tell whether there is a type of this name, without importing it."""
        return name in self._names

    def name_of(self, component: ClassT) -> str:
        """Return the name of a component's type; one that is in use was imported, so these are looked at first."""
        names = sorted(self._names, key=lambda name: name not in self._loaded)
        return next(name for name in names if isinstance(component, self[name]))


def source_types() -> Types[AnySource]:
    """Return every type of source by its name in YAML.

    Raises:
        SettingsError: an installed component cannot be loaded, or takes a name that is taken.
    """
    return _sources()


def target_types() -> Types[AnyTarget]:
    """Return every type of target by its name in YAML; raises as ``source_types`` does."""
    return _targets()


@cache
def _sources() -> Types[AnySource]:
    return _discover("bridge.sources", Source)  # type: ignore[type-abstract]  # it is asked about, never made


@cache
def _targets() -> Types[AnyTarget]:
    return _discover("bridge.targets", Target)  # type: ignore[type-abstract]  # the same


def _discover(group: str, base: type[ClassT]) -> Types[ClassT]:
    """Join the modules of a package and the entry points of the group of the same name."""
    shipped = _shipped(group)
    installed: dict[str, type[ClassT]] = {}
    for entry in entry_points(group=group):
        if entry.name in {*shipped, *installed}:
            raise SettingsError(f"the installed component {_origin(entry)} takes a name that is taken")
        installed[entry.name] = _installed(entry, base)
    return Types(shipped, installed, base)


def _shipped(package: str) -> dict[str, str]:
    folder = import_module(package).__path__
    names = sorted(module.name for module in pkgutil.iter_modules(folder) if not module.name.startswith("_"))
    return {name: f"{package}.{name}" for name in names}


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
