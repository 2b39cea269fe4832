"""The files of a set of rules, read and held against the frame, and put together as one document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bridge.config.frame import FileFrame, PartFrame
from bridge.config.including import Included
from bridge.config.merging import merged
from bridge.config.naming import describe
from bridge.config.problems import Problems
from bridge.config.translation import Defect, validated
from bridge.config.wording import described
from bridge.files import open_file
from bridge.model import JsonObject
from bridge.options import InvalidConfigurationError, Loc, Place, Problem, read_yaml
from bridge.options.yaml import MAX_BYTES, MAX_VALUES

VERSION = 1
"""The version of the language that this bridge reads."""
MAX_FILES = 1000
"""Files that one may include: each is looked at again whenever something may have changed."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """The document that all files are together, what is wrong in it so far, and the bytes of each file."""

    document: JsonObject
    problems: Problems
    contents: Mapping[Path, bytes]


def gather(path: Path) -> Gathered:
    """Read a rules file and those that it includes.

    Raises:
        InvalidConfigurationError: one of them could not be looked at, or only so far that the others cannot either.
    """
    gathering = _Gathering(path)
    included = Included(gathering.document, path)
    for loc, pattern in included.idle().items():
        gathering.main.warn(loc, "no-effect", f'no file matches "{pattern}"')
    for file, loc in included.files().items():
        if included.is_main(file):
            gathering.refuse(loc, "bad-value", '"include" names the file that it stands in')
        elif not gathering.include(file, loc):
            break
    return gathering.gathered()


def read(path: Path) -> bytes:
    """Return the bytes of a file, or just enough of them to see that it is too large.

    Raises:
        InvalidConfigurationError: it cannot be read.
    """
    try:
        return _bytes(path)
    except OSError as error:
        problem = Problem(Place(str(path), 1, 1), "unreadable-file", f"the file cannot be read: {_reason(error)}")
        raise InvalidConfigurationError([problem]) from error


class _Gathering:
    """One file, and what it includes."""

    def __init__(self, path: Path) -> None:
        content = read(path)
        self.main = Problems(read_yaml(content, str(path)))
        self.document = _document(self.main)
        self._parts: list[Problems] = []
        self._contents = {path: content}
        self._sound = True

    def include(self, path: Path, loc: Loc) -> bool:
        """Read one more file, which the item at ``loc`` names; tell whether there is room for another."""
        try:
            content = _bytes(path)
        except (OSError, ValueError) as error:
            self.refuse(loc, "unreadable-file", f"{path} cannot be read: {_reason(error)}")
            return True
        self._contents[path] = content
        self._parts.append(Problems(read_yaml(content, str(path))))
        excess = self._excess()
        if excess:
            self.refuse(loc, "too-large", f"with {path} the rules have more than {excess}")
        return not excess

    def refuse(self, loc: Loc, code: str, message: str) -> None:
        """Report what keeps a file from being included, so that what it would offer is not known."""
        self.main.add(loc, code, message)
        self._sound = False

    def gathered(self) -> Gathered:
        """Return all files as one document; raise if some of them cannot be put together with the rest."""
        sound = [self._sound, *map(_is_part, self._parts)]
        given = {section for part in self._parts for section in _sections(part)}
        for defect in _defects(FileFrame, self.main):
            if defect.code != "missing-key" or defect.loc[0] not in given:
                _report(defect, self.main)
        whole = merged(self.main, self._parts)
        if not all(sound):
            raise InvalidConfigurationError(whole.found)
        document = whole.located.data
        return Gathered(document if isinstance(document, dict) else {}, whole, self._contents)

    def _excess(self) -> str:
        """Return what there is too much of, if anything: all files together may have as much as one alone."""
        values = sum(len(part.located.values) for part in (self.main, *self._parts))
        if len(self._parts) > MAX_FILES:
            return f"{MAX_FILES} files"
        if values > MAX_VALUES:
            return f"{MAX_VALUES} values"
        return "1 MiB" if sum(map(len, self._contents.values())) > MAX_BYTES else ""


def _bytes(path: Path) -> bytes:
    with open_file(path) as file:
        return file.read(MAX_BYTES + 1)


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or "it cannot be opened"


def _document(problems: Problems) -> JsonObject:
    """Return the document, or raise if there is none, or one in a language that this bridge does not read."""
    document = problems.located.data
    if isinstance(document, dict) and not _is_foreign(document):
        return document
    if isinstance(document, dict):
        message = f"this bridge reads version {VERSION} of the rules language"
        problems.add(("version",), "unknown-version", message, f"write `version: {VERSION}`")
    elif document is not None:
        problems.add((), "wrong-type", f"the file must be a mapping of keys to values, not {described(document)}")
    elif not problems.found:
        problems.add((), "empty-file", "the file holds nothing", "begin with `version: 1`")
    raise InvalidConfigurationError(problems.found)


def _is_foreign(document: JsonObject) -> bool:
    version = document.get("version", VERSION)
    return version != VERSION or isinstance(version, bool)


def _is_part(part: Problems) -> bool:
    """Hold an included file against its frame, and tell whether it is known what it would offer to the others."""
    if part.located.data is None:
        if not part.found:
            part.warn((), "empty-file", "the file holds nothing", "remove it, or what names it")
        return not part.found
    sound = True
    for defect in _defects(PartFrame, part):
        elsewhere = defect.code == "unknown-key" and len(defect.loc) == 1 and defect.loc[0] in FileFrame.model_fields
        hint = "only the file that includes this one may have it" if elsewhere else defect.hint
        _report(replace(defect, hint=hint), part)
        sound &= elsewhere or len(defect.loc) > 1
    return sound


def _defects(frame: type[FileFrame] | type[PartFrame], problems: Problems) -> Sequence[Defect]:
    document = problems.located.data
    return validated(frame, document, lambda loc: describe(document, loc))[1]


def _report(defect: Defect, problems: Problems) -> None:
    hint = defect.hint
    if defect.code == "wrong-type" and defect.value is None and problems.located.is_commented(defect.loc):
        hint = "a # begins a comment: put the text in quotes"
    problems.add(defect.loc, defect.code, defect.message, hint, key=defect.at_key)


def _sections(part: Problems) -> frozenset[str]:
    return frozenset(part.located.data) if isinstance(part.located.data, dict) else frozenset()
