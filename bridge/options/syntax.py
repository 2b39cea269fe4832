"""What is wrong with a file that is no YAML, in words for people who never read its specification."""

import re
from collections.abc import Sequence

import yaml

from bridge.options.problem import Place, Problem

_KEYS = "to|text|on|name|match|when|deliver|template|subject|channel|key|type"
_HINTS = (
    (
        re.compile(r"""(["'])[^"']*\{[{%](?:(?!\1|[%}]\}).)*\1"""),
        "a quotation mark within a quoted text ends it: write the other kind inside, as in \"{{ x | default('—') }}\"",
    ),
    (re.compile(r":\s+!="), "for what differs write {ne: …}"),
    (re.compile(r":\s*[“”].*[“”]"), 'curly quotation marks do not quote: write straight ones, "…"'),
    (re.compile(r":\s*\{\{|^\s*-\s*\{\{"), 'a template needs quotes around it: "{{ … }}"'),
    (re.compile(r":\s*\{%|^\s*-\s*\{%"), "a template needs quotes around it"),
    (re.compile(r"[:,\[]\s*\$\{[^\"']*[,}]"), 'within braces a variable needs quotes around it: "${NAME}"'),
    (re.compile(rf"^\s*(?:- )?\w+:\s+\S+\s+(?:{_KEYS}):\s"), "write each key on a line of its own, below the first"),
    (re.compile(r"^\s*[\w.-]+:\S.*:\s|:\s.*:\s"), 'a text with ": " in it needs quotes around it'),
    (re.compile(r"[:-]\s+[@`%]"), "a text that begins with this sign needs quotes around it"),
)
_WORDS = {
    "found character that cannot start any token": "a value cannot begin with this sign",
    "mapping values are not allowed in this context": "a key cannot stand here",
    "could not find expected ':'": 'a ":" is missing after a key',
    "did not find expected key": "here a key was expected",
    "did not find expected '-' indicator": 'here an item of the list was expected, with "-" in front',
    "did not find expected ',' or ']'": 'a "," or the closing "]" is missing',
    "did not find expected ',' or '}'": 'a "," or the closing "}" is missing',
    "found unexpected end of stream": "a quotation mark is never closed",
    "found undefined alias": "this alias names no anchor",
    "but found another document": "the file holds more than one document",
}
_UNCLOSED = re.compile("closing|never closed")
_NO_SPACE = re.compile(r"\s*(?:- )?[\w.]+:[^\s:/]+")
_NO_COLON = re.compile(r"\s+[\w.]+ *[<>=!][^:\"']*")
"""A condition as other languages write it."""
_MISPLACED = re.compile("cannot stand here|expected")


def decode(content: bytes, file: str) -> str | Problem:
    """Return the text of a file, without a byte order mark, or the problem that it is no UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        return Problem(_place_of(before, file), "not-utf-8", "here the file is no UTF-8", "save it in UTF-8")


def syntax_problem(error: yaml.YAMLError, text: str, file: str) -> Problem:
    """Return the one problem that a YAML parser stopped at."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return _unprintable(text, file)
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    place = Place(file, mark.line + 1, mark.column + 1)
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return Problem(
            Place(file, place.line, line.index("\t") + 1), "syntax-error", "a tab cannot indent", "use spaces"
        )
    said = str(getattr(error, "problem", ""))
    if "nesting depth" in said:
        return Problem(place, "too-large", "it is nested too deep to be read")
    words = next((words for their, words in _WORDS.items() if their in said), said)
    opened = getattr(error, "context_mark", None)
    if opened and _UNCLOSED.search(words) and not _hint_of(line):
        return Problem(place, "syntax-error", words, f"opened on line {opened.line + 1}")
    if lines[: mark.line] and _NO_SPACE.fullmatch(lines[mark.line - 1]):
        return Problem(place, "syntax-error", words, f'line {mark.line} has no space after the ":" of its key')
    hint = _hint_of(line) or (_hint_above(lines[: mark.line], line[: mark.column]) if _MISPLACED.search(words) else "")
    return Problem(place, "syntax-error", words, hint)


def _hint_of(line: str) -> str:
    return next((hint for pattern, hint in _HINTS if pattern.search(line)), "")


def _hint_above(lines: Sequence[str], before: str) -> str:
    """Return what may be wrong in the lines above a key or an item that cannot stand where it does."""
    quoting = next((number for number, line in reversed([*enumerate(lines, 1)]) if '"' in line), 0)
    if '"' in before and quoting and _quotes(lines[quoting - 1]) % 2:
        return f"is the quotation mark on line {quoting} never closed?"
    if lines and _NO_COLON.fullmatch(lines[-1]):
        return f'line {len(lines)} has no ":" after its key'
    return "is it indented like the lines around it?"


def _quotes(line: str) -> int:
    return line.replace('\\"', "").count('"')


def _unprintable(text: str, file: str) -> Problem:
    found = re.search(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    place = _place_of(text[: found.start()] if found else "", file)
    return Problem(place, "syntax-error", "a sign stands here that YAML does not allow", "delete it")


def _place_of(before: str, file: str) -> Place:
    line = before.count("\n")
    return Place(file, line + 1, len(before) - (before.rfind("\n") + 1) + 1)
