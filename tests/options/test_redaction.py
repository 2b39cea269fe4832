"""Secrets in texts that services and libraries write."""

import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.options.redaction import SHORTEST, Redactor, spellings

TOKEN = 'tok/en+"é"&7=x'
HOOK = "https://hooks.slack.com/services/T0001AB/B0002CD/abcDEFghiJKLmnoPQRstuVWX?sig=s1gnature9"


@pytest.mark.parametrize(
    "told",
    [
        TOKEN,
        quote(TOKEN, safe=""),
        quote(TOKEN),
        quote_plus(TOKEN),
        quote(TOKEN, safe="").lower(),
        json.dumps(TOKEN),
        json.dumps(TOKEN, ensure_ascii=False),
        json.dumps(TOKEN).replace("/", r"\/"),
        "tok/en+&quot;é&quot;&amp;7=x",
    ],
)
def test_a_secret_is_found_however_it_is_written(told: str) -> None:
    assert Redactor([TOKEN]).redacted(f"before {told} after").replace('"', "") == "before *** after"


@pytest.mark.parametrize(
    ("told", "left"),
    [
        (HOOK, "***"),
        ("Cannot POST /services/T0001AB/B0002CD/abcDEFghiJKLmnoPQRstuVWX", "Cannot POST ***"),
        ("/services/T0001AB/B0002CD/abcDEFghiJKLmnoPQRstuVWX?sig=s1gnature9", "***"),
        ("no hook abcDEFghiJKLmnoPQRstuVWX", "no hook ***"),
        ("bad signature s1gnature9", "bad signature ***"),
        ("no services here", "no services here"),
    ],
)
def test_of_an_address_the_parts_that_open_it_are_secrets_too(told: str, left: str) -> None:
    assert Redactor([HOOK]).redacted(told) == left


def test_words_in_an_address_are_words() -> None:
    assert Redactor(["https://erp.example/v2/accounting/customer"]).redacted("no such customer in accounting") == (
        "no such customer in accounting"
    )


def test_an_address_that_is_none_is_a_secret_all_the_same() -> None:
    assert Redactor(["http://[::1/x"]).redacted("at http://[::1/x") == "at ***"


def test_what_is_too_short_is_left_alone() -> None:
    assert Redactor(["bad", "token"]).redacted("a bad token") == "a bad token"
    assert spellings("x" * (SHORTEST - 1)) == frozenset()


def test_a_secret_within_another_leaves_nothing_of_it() -> None:
    assert Redactor(["hush-hush", "hush-hush-hush"]).redacted("hush-hush-hush!") == "***!"


@given(st.text(st.characters(exclude_characters="*"), min_size=SHORTEST), st.text(), st.text())
def test_no_secret_is_left_whatever_stands_around_it(secret: str, before: str, after: str) -> None:
    assert secret not in Redactor([secret]).redacted(before + secret + after)


@given(st.lists(st.text("abc", min_size=SHORTEST, max_size=9), min_size=1, max_size=6), st.data())
def test_none_of_many_that_overlap_is_left(secrets: list[str], data: st.DataObject) -> None:
    pieces = data.draw(st.lists(st.sampled_from([*secrets, "x", "ab"]), max_size=5))
    redacted = Redactor(secrets).redacted("".join(pieces))
    assert not [secret for secret in secrets if secret in redacted]
