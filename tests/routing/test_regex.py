"""Regular expressions over texts that anybody wrote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import MatchError
from bridge.routing.regex import LONGEST, BadPatternError, search_for


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^(\w+\s?)+$", "Padaria Estrela do Norte Comercio de Alimentos LTDA - EPP!"),
        (r"(x+x+)+y", "x" * 40_000),
        (r"(.*a){12}$", "a" * 40_000 + "b"),
    ],
)
def test_no_text_keeps_a_pattern_busy(pattern: str, text: str) -> None:
    assert search_for(pattern)([text]) is False


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"(?i)^PADARIA são", "padaria São Jorge", True),
        (r"(?i)É$", "café", True),
        (r"^\d{5}-\d{3}$", "01310-100", True),
        (r"^.$", "😀", True),
        (r"^\pL+$", "São", True),
        (r"a\.b", "axb", False),
    ],
)
def test_letters_are_letters_and_not_bytes(pattern: str, text: str, *, found: bool) -> None:
    assert search_for(pattern)([text]) is found


@given(st.text(), st.lists(st.text(), max_size=3))
def test_any_text_is_judged(wanted: str, texts: list[str]) -> None:
    escaped = "".join(f"\\x{{{ord(character):x}}}" for character in wanted)
    assert search_for(escaped)(texts) is any(wanted in text for text in texts)


def test_half_a_surrogate_pair_is_judged_too() -> None:
    assert search_for("b")(["\ud800b"])


@pytest.mark.parametrize("texts", [["x" * LONGEST], ["x" * (LONGEST // 2)] * 2, [""] * (LONGEST + 1)])
def test_what_is_too_long_is_not_searched(texts: list[str]) -> None:
    with pytest.raises(MatchError, match=f"{LONGEST} characters"):
        search_for("y")(texts)


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("(?=x)", "look ahead"),
        ("(?<!x)", "look ahead or behind"),
        (r"(a)\1", "groups"),
        (r"x\Z", r"\z"),
        (r"\u00e9", r"\x{e9}"),
        ("a{1001}", "1000 times"),
        ("(", ""),
    ],
)
def test_what_needs_going_back_is_left_out_and_the_hint_says_what_to_do(pattern: str, hint: str) -> None:
    with pytest.raises(BadPatternError) as refused:
        search_for(pattern)
    message, told = refused.value.args
    assert message.startswith("this is no regular expression: ")
    assert hint in told


def test_a_pattern_that_no_file_could_hold_is_refused_like_any_other() -> None:
    with pytest.raises(BadPatternError, match="surrogates"):
        search_for("\ud800")


def test_a_pattern_that_would_cost_too_much_at_each_letter_is_refused() -> None:
    with pytest.raises(BadPatternError, match="too large"):
        search_for(r"(\pL{0,20}x){1,9}")
