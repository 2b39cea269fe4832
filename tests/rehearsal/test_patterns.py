"""Texts for regular expressions: whatever comes, it is one in which the expression is found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.rehearsal.patterns import MOST, text_for
from bridge.routing.regex import search_for


@pytest.mark.parametrize(
    "pattern",
    [
        "(?i)^padaria",
        r"^\d{5}-\d{3}$",
        r"^[A-Z]{3}\d{9}$",
        r"@acme\.com(\.br)?$",
        "Ltda|S/A|ME$",
        r"^(?:\+55)?\s*\(?\d{2}\)?\s*9?\d{4}-?\d{4}\z",
        r"\bVIP\b",
        r"\Bcas\B",
        "^[^0-9@]+$",
        "[^a]",
        "^.{10,}$",
        "(a|b){3}c*?d+",
        "^[[:upper:]][[:alpha:]]+ [[:digit:]]{2}$",
        r"caf\x{e9}",
        "^Funil (Padrão|Enterprise)$",
        r"(?P<year>20\d\d)-[01]\d",
        r"^\W\S\D$",
        "(?s)a.b",
        "(?m)^second$",
        "ação",
        "a*",
        "[é-ü]",
        "[]-]",
    ],
)
def test_usual_patterns_get_a_text(pattern: str) -> None:
    text = text_for(pattern)
    assert text
    assert search_for(pattern)([text])


@pytest.mark.parametrize("pattern", ["^$", "a^b", r"\p{Greek}", "(?=x)", "(", "(?:(?:a{1000}){9})", r"x\by"])
def test_where_none_can_be_made_there_is_none(pattern: str) -> None:
    assert text_for(pattern) is None


PIECES = st.recursive(
    st.sampled_from(
        ["a", "B", "7", " ", "é", r"\d", r"\w", r"\s", r"\D", r"\W", r"\S", ".", r"\.", "[a-f]", "[^x-z,]"]
    ),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("(?:{0[0]}|{0[1]})".format),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "+?"])).map("(?:{0[0]}){0[1]}".format),
        inner.map("({})".format),
    ),
    max_leaves=8,
)
"""Whatever can be said without asking for a place or for what was found before."""


@given(PIECES, st.sampled_from(["{}", "^(?:{})$", "(?i)^(?:{})"]))
def test_what_says_no_more_than_which_letters_always_gets_one(piece: str, form: str) -> None:
    pattern = form.format(piece)
    text = text_for(pattern)
    assert text
    assert search_for(pattern)([text])


@given(st.text(alphabet="ab1(|)[]{}*+?^$\\d.-,zbB:P<>x", max_size=12))
def test_whatever_is_written_a_text_is_one_in_which_it_is_found(pattern: str) -> None:
    text = text_for(pattern)
    assert text is None or (search_for(pattern)([text]) and len(text) <= MOST + 2)
