"""Trello's Markdown: data stays text, lengths are kept, and what an entry may say."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pydantic import ValidationError

from bridge.component.markdown import escape, unescape
from bridge.component.marks import mark_in, mark_of
from bridge.model import JsonObject
from bridge.targets.trello import TrelloAction, TrelloOptions
from bridge.targets.trello.options import names_in
from bridge.targets.trello.text import LONGEST, cut, line, marked
from tests.support.trello_contract import KEY, TOKEN, body_violations

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
TEXT_ONLY = {"paragraph_open", "paragraph_close", "inline", "text", "softbreak", "text_special"}
HOSTILE = st.text(st.sampled_from("\\`*_[]()<>~|#+-=.!&;:@/1a \t\n\rÁ"), max_size=30) | st.text(max_size=30)


def kinds(markdown: str) -> set[str]:
    """Return what a reader of Markdown finds in a text."""
    tokens = READER.parse(markdown)
    return {each.type for token in tokens for each in (token, *(token.children or ()))}


def read(markdown: str) -> str:
    """Return the text that a reader of Markdown shows."""
    tokens = READER.parse(markdown)
    words = [each.content or "\n" for token in tokens for each in (token.children or ())]
    return "".join(words).replace("\u2060", "")


@given(HOSTILE)
@example("# título")
@example("1) um\n2. dois")
@example("- a\n+ b\n---\n===")
@example("    código")
@example("a\n\n\tcódigo")
@example("[clique](https://mau.example)")
@example("![x](https://mau.example/x.png)")
@example("<https://mau.example>")
@example("&lt;b&gt; &#64;board")
@example("a | b\n--|--\nc | d")
@example("~~não~~ __sim__ _a_ snake_case")
@example("[a]: https://mau.example")
def test_no_data_becomes_markup(data: str) -> None:
    assert kinds(escape(data)) <= TEXT_ONLY
    assert kinds(f"Nome: {escape(data)} fim") <= TEXT_ONLY


@given(HOSTILE)
def test_data_reads_as_before(data: str) -> None:
    shown = "".join(read(f"a{escape(data)}z").split())
    assert shown == "".join(f"a{data}z".replace("\u2060", "").replace("\x00", "\ufffd").split())


@pytest.mark.parametrize("piece", [" ", "-", "=", "#", "1", "\t", "\\", "@", "- ", "[bridge:", "_"])
def test_data_of_any_length_is_escaped_in_steps_that_grow_with_it(piece: str) -> None:
    """A million characters of what the expressions look ahead for; steps in their square would take minutes."""
    assert len(escape(f"x{piece * (10**6 // len(piece))}y")) >= 10**6 - 1
    assert escape(f"{piece * (10**6 // len(piece))}\ny").endswith("\ny")


@pytest.mark.parametrize("data", ["@board", "oi @card!", "(@ana)", "é@ana", "_@ana", "@"])
def test_no_data_pings_anybody(data: str) -> None:
    assert "@\u2060" in escape(data)
    assert unescape(escape(data)) == data


@pytest.mark.parametrize(
    "data", ["ana@acme.example", "R$ 1.500,00", "+55 11 91234-5678", "2026-11-24", "Acme & Cia", "-5", "a_b", "#5"]
)
def test_innocent_data_stays_as_it_is(data: str) -> None:
    assert escape(data) == data


@given(HOSTILE)
def test_what_was_escaped_reads_as_before_in_a_preview(data: str) -> None:
    assert unescape(escape(data)).split() == data.replace("\u2060", "").split()


@given(st.text(alphabet="a\\*😀é", max_size=40), st.integers(1, 30))
def test_a_cut_keeps_to_the_limit_and_leaves_no_half_escape(data: str, limit: int) -> None:
    text = escape(data)
    short = cut(text, limit)
    assert len(short.encode("utf-16-le")) // 2 <= limit
    if short != text:
        assert short.endswith("…")
        assert text.startswith(short[:-1])
        assert (len(short[:-1]) - len(short[:-1].rstrip("\\"))) % 2 == 0


def test_half_a_character_of_data_is_no_obstacle() -> None:
    assert cut("\ud83d" * 20, 10).endswith("…")


def test_the_mark_stays_when_a_description_is_cut() -> None:
    mark = mark_of("deal:65")
    description = marked("é" * 20_000, mark)
    assert len(description) == LONGEST
    assert description.endswith(f"…\n\n{mark}")
    assert mark_in(description) == mark


@given(st.text(), HOSTILE)
def test_a_mark_is_found_and_data_makes_none(key: str, data: str) -> None:
    mark = mark_of(key)
    assert mark_in(marked(escape(data), mark)) == mark
    assert mark_in(marked("", mark)) == mark
    assert mark_in(escape(mark)) is None
    assert mark_in(escape(data)) is None


def test_marks_of_different_keys_differ_and_of_one_key_are_one() -> None:
    assert mark_of("deal:65") == mark_of("deal:65") == "[bridge:420bd0a8879858d0]"
    assert mark_of("deal:65") != mark_of("deal:66")
    assert kinds(mark_of("deal:65")) <= TEXT_ONLY


def test_a_name_is_one_line() -> None:
    assert line(" Padaria\r\n Estrela\u2028x ") == "Padaria Estrela x"
    assert line("x" * 20_000) == "x" * (LONGEST - 1) + "…"


@given(st.text(), HOSTILE)
def test_any_data_makes_a_card_that_trello_accepts(name: str, data: str) -> None:
    body: Any = {"name": line(name), "desc": marked(escape(data) * 600, mark_of(name)), "idList": "a" * 24}
    assert body_violations("CreateCard", body) == []


# what an entry may say


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-12-24", "2026-12-24T12:00:00.000Z"),
        ("2026-12-24T18:00:00-03:00", "2026-12-24T21:00:00.000Z"),
        ("2026-11-24T09:00:00.123-03:00", "2026-11-24T12:00:00.000Z"),
        ("2026-12-24T18:00", "2026-12-24T18:00:00.000Z"),
        (" ", None),
        (None, None),
    ],
)
def test_a_moment_is_told_in_utc(written: str | None, moment: str | None) -> None:
    action = TrelloAction.model_validate({"due": written, "start": written})
    assert (action.due, action.start) == (moment, moment)


def test_names_come_alone_or_in_a_list() -> None:
    assert names_in(" Quente ") == ("Quente",)
    assert names_in(("Quente", None, " ", "Quente", "Fria")) == ("Quente", "Fria")
    assert names_in(None) == ()
    assert names_in(TrelloAction.model_validate({"labels": [2026, "x"]}).labels) == ("2026", "x")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "asks for nothing"),
        ({"due": "amanhã"}, "must be a day or a moment"),
        ({"due": "0001-01-01T00:00:00+14:00"}, "must be a day or a moment"),
        ({"pos": "middle"}, "'top' or 'bottom'"),
        ({"pos": -1}, "greater than or equal to 0"),
        ({"url": "ftp://x.example"}, "must be a whole address"),
        ({"url": "https://[x"}, "no valid|not a valid address"),
        ({"labels": [{"name": "x"}]}, "string"),
    ],
)
def test_an_entry_that_cannot_work_is_refused(content: JsonObject, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        TrelloAction.model_validate(content)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"token": "hush hush"}, "one word, without spaces"),
        ({"api_key": 'hush"'}, "one word, without spaces"),
        ({"board": "Vendas"}, "address of the board"),
        ({"board": "https://trello.example/b/AbCdEf12"}, "address of the board"),
        ({"api_url": "api.trello.com"}, "whole address"),
    ],
)
def test_options_that_cannot_work_are_refused_without_telling_secrets(options: JsonObject, words: str) -> None:
    given = {"api_key": KEY, "token": TOKEN, "board": "AbCdEf12"} | options
    with pytest.raises(ValidationError, match=words) as caught:
        TrelloOptions.model_validate(given)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "board", ["AbCdEf12", "https://trello.com/b/AbCdEf12", "https://trello.com/b/AbCdEf12/vendas-2026?filter=x"]
)
def test_a_board_is_named_by_its_address_or_by_what_is_in_it(board: str) -> None:
    options = TrelloOptions.model_validate({"api_key": KEY, "token": TOKEN, "board": board})
    assert options.board == "AbCdEf12"
    assert options.api_url == "https://api.trello.com/1"
