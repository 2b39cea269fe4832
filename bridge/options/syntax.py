"""What is wrong with a file that is no YAML, in words for people who never read its specification."""

import re

import yaml

from bridge.options.problem import Place, Problem

_HINTS = (
    (re.compile(r":\s*\{\{|^\s*-\s*\{\{"), 'a template needs quotes around it: "{{ … }}"'),
    (re.compile(r":\s*\{%|^\s*-\s*\{%"), "a template needs quotes around it"),
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
    return Problem(place, "syntax-error", words, _hint(words, line, getattr(error, "context_mark", None)))


def _hint(words: str, line: str, opened: yaml.Mark | None) -> str:
    if opened and _UNCLOSED.search(words):
        return f"opened on line {opened.line + 1}"
    quotes = next((hint for pattern, hint in _HINTS if pattern.search(line)), "")
    return quotes or ("is it indented like the lines around it?" if _MISPLACED.search(words) else "")


def _unprintable(text: str, file: str) -> Problem:
    found = re.search(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    place = _place_of(text[: found.start()] if found else "", file)
    return Problem(place, "syntax-error", "a sign stands here that YAML does not allow", "delete it")


def _place_of(before: str, file: str) -> Place:
    line = before.count("\n")
    return Place(file, line + 1, len(before) - (before.rfind("\n") + 1) + 1)
