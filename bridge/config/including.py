"""``include:`` — which files the rules are read from, beside the one that names them."""

from collections.abc import Iterator
from contextlib import suppress
from glob import glob, has_magic
from os.path import realpath
from pathlib import Path

from bridge.files import open_file
from bridge.model import Json
from bridge.options import Loc, read_yaml
from bridge.options.yaml import MAX_BYTES


class Included:
    """What ``include:`` of a rules file says. Paths are relative to its folder, and may lead out of it."""

    def __init__(self, document: Json, main: Path) -> None:
        """Take the document of the file at ``main``; what is no path in it was reported with the frame."""
        self._main = main
        self._written = {loc: item for loc, item in _written(document) if "\0" not in item}

    def files(self) -> dict[Path, Loc]:
        """Return the files there are at this moment, in the order of their paths, with the first item that names each.

        A file that is named and not there is one of them, as reading it will tell.
        """
        named: dict[Path, Loc] = {}
        for loc, item in self._written.items():
            for path in self._named(item):
                named.setdefault(path, loc)
        return dict(sorted(named.items(), key=lambda item: str(item[0])))

    def idle(self) -> dict[Loc, str]:
        """Return the patterns that no file matches."""
        return {loc: item for loc, item in self._written.items() if not self._named(item)}

    def folders(self) -> frozenset[Path]:
        """Return the folders that files may come to and go from, as far as no pattern stands for them."""
        found = (self._main.parent / _plain(item) for item in self._written.values())
        return frozenset({*found, *(path.parent for path in self.files())})

    def is_main(self, path: Path) -> bool:
        """Tell whether a path leads to the file that includes."""
        return realpath(path) == realpath(self._main)

    def _named(self, item: str) -> list[Path]:
        """Return the files of an item. A pattern means neither folders nor hidden files, nor the file it stands in."""
        folder = self._main.parent
        if not has_magic(item):
            return [folder / item]
        matched = (folder / name for name in glob(item, root_dir=folder))  # noqa: PTH207 (Path.glob finds hidden files)
        return [path for path in matched if path.is_file() and not self.is_main(path)]


def _written(document: Json) -> Iterator[tuple[Loc, str]]:
    include = document.get("include") if isinstance(document, dict) else None
    if isinstance(include, str) and include:
        yield ("include",), include
    for index, item in enumerate(include if isinstance(include, list) else ()):
        if isinstance(item, str) and item:
            yield ("include", index), item


def _plain(item: str) -> Path:
    """Return the folder of a path, up to the first part of it that is a pattern."""
    parts = Path(item).parent.parts
    patterns = [index for index, part in enumerate(parts) if has_magic(part)]
    return Path(*parts[: patterns[0]] if patterns else parts)


class RulesFiles:
    """The files of a set of rules, as they are at the moment one asks: what a reloader has to watch."""

    def __init__(self, main: Path) -> None:
        """Take the file that may include others."""
        self._main = main
        self._content = b""
        self._included = Included(None, main)

    def found(self) -> list[Path]:
        """Return the main file and those that it includes; of one that cannot be read, what it included before."""
        return [self._main, *self._now().files()]

    def folders(self) -> frozenset[Path]:
        """Return the folders that included files may come to and go from."""
        return self._now().folders()

    def _now(self) -> Included:
        """Look at the main file; it is only read as YAML where it has changed."""
        with suppress(OSError), open_file(self._main) as file:
            content = file.read(MAX_BYTES + 1)
            if content != self._content:
                self._included = Included(read_yaml(content, str(self._main)).data, self._main)
                self._content = content
        return self._included
