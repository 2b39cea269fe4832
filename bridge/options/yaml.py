"""YAML 1.2 as plain data that knows where each of its keys and values stands.

PyYAML reads YAML 1.1, lets the second of two equal keys win and expands aliases without limit; here the scalars are
those of the 1.2 core schema (``no`` and ``12:30`` are text), and each of those is a problem.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bridge.model import Json
from bridge.options.interpolation import Loc
from bridge.options.problem import Place, Problem
from bridge.options.syntax import decode, syntax_problem

MAX_BYTES = 1024 * 1024
MAX_VALUES = 50_000
"""Values after aliases are expanded: a hundred times what a large file holds."""
MAX_DEPTH = 64
BITS = 64
"""Of a number, with its sign: what all that speaks JSON can hold."""

_TAG = "tag:yaml.org,2002:"
_SCALARS = (
    ("null", r"(?:~|null|Null|NULL|)", ("~", "n", "N", "")),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)", "tTfF"),
    # At most 18 digits: a longer run of digits is an identifier, and stays text, digit by digit.
    ("int", r"(?:[-+]?[0-9]{1,18}|0o[0-7]{1,20}|0x[0-9a-fA-F]{1,15})", "-+0123456789"),
    # Without .inf and .nan: nothing that speaks JSON can hold them.
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?", "-+0123456789."),
)

_COMMENT = re.compile(r"[^\s:]+:\s+#\S")
_COUNTED = re.compile(r"\d$")


class _CoreLoader(yaml.CSafeLoader):
    """Resolves plain scalars as the YAML 1.2 core schema does."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (as PyYAML declares it)


for _name, _pattern, _first in _SCALARS:
    _CoreLoader.add_implicit_resolver(_TAG + _name, re.compile(rf"^{_pattern}$"), list(_first))


@dataclass(frozen=True, slots=True)
class Located:
    """Plain data with the place of every key and value, and the problems of its writing.

    Parts of the data may come from other files than ``file``: their places say so, and ``lines`` holds them too.
    What is ``unreadable`` is missing in the data, in whole or in part: that something lacks there is no news.
    """

    file: str
    data: Json = None
    keys: Mapping[Loc, Place] = field(default_factory=dict)
    values: Mapping[Loc, Place] = field(default_factory=dict)
    literals: frozenset[Loc] = frozenset()
    ends: Mapping[Loc, int] = field(default_factory=dict)
    lines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unreadable: frozenset[Loc] = frozenset()
    problems: tuple[Problem, ...] = ()

    def value(self, loc: Loc) -> Place:
        """Return where the value stands, or the nearest value around it."""
        while loc and loc not in self.values:
            loc = loc[:-1]
        return self.values.get(loc, Place(self.file, 1, 1))

    def key(self, loc: Loc) -> Place:
        """Return where the key of a value stands, or the value if it has no key."""
        return self.keys.get(loc) or self.value(loc)

    def is_commented(self, loc: Loc) -> bool:
        """Tell whether what may have been meant as the value of a key is a comment: a ``#`` with no space after it."""
        place = self.key(loc)
        return bool(_COMMENT.match(self.lines[place.file][place.line - 1], place.column - 1))

    def within(self, loc: Loc, line: int, word: str = "") -> Place:
        """Return where a word stands in a line (from 1) of a text, or the nearest place to it that can be told."""
        start = self.value(loc)
        block = loc in self.literals
        first = start.line + line if block else start.line
        last = first if block else self.ends.get(loc, start.line)
        for number in range(first, last + 1) if word else ():
            column = self.lines[start.file][number - 1].find(word, start.column - 1 if number == start.line else 0)
            if column >= 0:
                return Place(start.file, number, column + 1)
        return Place(start.file, first, 1) if block else start


def read_yaml(content: bytes, file: str) -> Located:
    """Read one YAML document; every defect of its writing is in ``problems``, and what could be read in ``data``."""
    if len(content) > MAX_BYTES:
        return Located(file, problems=(Problem(Place(file, 1, 1), "too-large", "the file is larger than 1 MiB"),))
    text = decode(content, file)
    if isinstance(text, Problem):
        return Located(file, problems=(text,))
    try:
        root = yaml.compose(text, Loader=_CoreLoader)
    except yaml.YAMLError as error:
        return Located(file, problems=(syntax_problem(error, text, file),))
    return _Construction(file, tuple(text.splitlines())).located(root)


class _TooLargeError(Exception):
    """The document expands beyond all measure; construction stops."""


class _Construction:
    """One pass over the nodes of a document."""

    def __init__(self, file: str, lines: tuple[str, ...]) -> None:
        self._file = file
        self._lines = lines
        self._ends: dict[Loc, int] = {}
        self._keys: dict[Loc, Place] = {}
        self._values: dict[Loc, Place] = {}
        self._literals: set[Loc] = set()
        self._unreadable: set[Loc] = set()
        self._problems: list[Problem] = []

    def located(self, root: Node | None) -> Located:
        try:
            data = None if root is None else self._build(root, ())
        except _TooLargeError:
            data = None
        return Located(
            self._file,
            data,
            keys=self._keys,
            values=self._values,
            literals=frozenset(self._literals),
            ends=self._ends,
            lines={self._file: self._lines},
            unreadable=frozenset(self._unreadable),
            problems=tuple(self._problems),
        )

    def _build(self, node: Node, loc: Loc) -> Json:
        self._values[loc] = self._place(node)
        self._ends[loc] = min(node.end_mark.line + 1, len(self._lines))
        self._measure(node, loc)
        if node.tag not in _TAGS:
            message = f"the tag {node.tag.replace(_TAG, '!!')} is not supported"
            differs = node.tag.startswith("!=")
            self._problem(
                node, "unsupported-yaml", message, "write {ne: …} for what differs" if differs else "remove it"
            )
            self._unreadable.add(loc)
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, loc)
        if isinstance(node, SequenceNode):
            return [self._build(item, (*loc, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, loc) if isinstance(node, ScalarNode) else None

    def _measure(self, node: Node, loc: Loc) -> None:
        if len(self._values) > MAX_VALUES:
            self._too_large(node, f"its aliases expand to more than {MAX_VALUES} values")
        if len(loc) > MAX_DEPTH:
            self._too_large(node, f"it is nested more than {MAX_DEPTH} levels deep")

    def _too_large(self, node: Node, message: str) -> None:
        self._problem(node, "too-large", message)
        raise _TooLargeError

    def _mapping(self, node: MappingNode, loc: Loc) -> Json:
        built: dict[str, Json] = {}
        before: Node | None = None
        for key_node, value_node in node.value:
            key = self._key(key_node, node) if not self._is_cents(key_node, value_node, before) else None
            before = value_node if node.flow_style else None
            if key is None:
                self._unreadable.add(loc)
                continue
            first = self._keys.get((*loc, key)) if key in built else None
            if first is not None:
                self._problem(key_node, "repeated-key", f'"{key}" stands here twice', f"first on line {first.line}")
                continue
            self._keys[*loc, key] = self._place(key_node)
            built[key] = self._build(value_node, (*loc, key))
        return built

    def _key(self, node: Node, around: MappingNode) -> str | None:
        if isinstance(node, ScalarNode) and node.tag == _TAG + "str":
            return self._no_merge(node)
        if isinstance(node, MappingNode) and around.flow_style:
            self._problem(around, "unquoted-template", "a template needs quotes around it", 'write "{{ … }}"')
        elif isinstance(node, ScalarNode):
            message = f"the key {node.value or 'here'} is {_KINDS.get(node.tag, 'no text')}"
            self._problem(node, "key-is-no-text", message, f'write it in quotes: "{node.value}"')
        else:
            self._problem(node, "key-is-no-text", "a key must be a text")
        return None

    def _is_cents(self, key: Node, value: Node, before: Node | None) -> bool:
        """Tell whether a key is what follows the decimal comma of the number ``before`` it, and report it then."""
        lone = isinstance(key, ScalarNode) and key.tag == _TAG + "int" and value.value == ""
        if not (lone and isinstance(before, ScalarNode) and _COUNTED.search(before.value)):
            return False
        hint = "write the number with a point, and nothing between thousands, as in 1234.50"
        self._problem(before, "syntax-error", "the comma ends the number here", hint)
        return True

    def _no_merge(self, node: ScalarNode) -> str | None:
        if node.value == "<<" and not node.style:
            self._problem(node, "unsupported-yaml", 'merging with "<<" is not supported', "repeat the keys")
            return None
        return str(node.value)

    def _scalar(self, node: ScalarNode, loc: Loc) -> Json:
        if node.style == "|":
            self._literals.add(loc)
        try:
            return _SCALAR_MAKERS[node.tag](node.value)
        except (KeyError, ValueError):
            self._problem(node, "unsupported-yaml", "this is no value of the tag before it", "remove the tag")
            self._unreadable.add(loc)
            return None

    def _problem(self, node: Node, code: str, message: str, hint: str = "") -> None:
        self._problems.append(Problem(self._place(node), code, message, hint))

    def _place(self, node: Node) -> Place:
        return Place(self._file, node.start_mark.line + 1, node.start_mark.column + 1)


def _integer(text: str) -> int:
    number = int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
    if number.bit_length() >= BITS:
        raise ValueError
    return number


def _float(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError
    return number


_SCALAR_MAKERS: Mapping[str, Callable[[str], Json]] = {
    _TAG + "str": str,
    _TAG + "null": lambda _: None,
    _TAG + "bool": lambda text: text.lower() == "true",
    _TAG + "int": _integer,
    _TAG + "float": _float,
}
_TAGS = frozenset({*_SCALAR_MAKERS, _TAG + "map", _TAG + "seq"})
_KINDS = {
    _TAG + "null": "empty",
    _TAG + "bool": "true or false",
    _TAG + "int": "a number",
    _TAG + "float": "a number",
}
