import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model import Json
from bridge.options import Interpolation, Loc, StandIns, interpolate, is_stand_in, variables_in

ENVIRON = {"TOKEN": "s3cret", "EMPTY": "", "SLACK_BOT_TOKEN": "xoxb"}


class Reports(list[tuple[Loc, str, str, str]]):
    def __call__(self, loc: Loc, code: str, message: str, hint: str) -> None:
        self.append((loc, code, message, hint))


def filled(data: Json) -> Interpolation:
    reports = Reports()
    result = interpolate(data, ENVIRON, reports)
    assert not reports
    return result


def refused(text: str) -> tuple[str, str, str]:
    reports = Reports()
    result = interpolate({"a": [text]}, ENVIRON, reports)
    assert result.data == {"a": [text]}
    assert result.unresolved == {("a", 0)}
    ((loc, code, message, hint),) = reports
    assert loc == ("a", 0)
    return code, message, hint


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${TOKEN}", "s3cret"),
        ("Bearer ${TOKEN}!", "Bearer s3cret!"),
        ("${TOKEN}${TOKEN}", "s3crets3cret"),
        ("${GONE:-default}", "default"),
        ("${EMPTY:-default}", "default"),
        ("${TOKEN:-default}", "s3cret"),
        ("${GONE:-}", ""),
        ("$${TOKEN}", "${TOKEN}"),
        ("$$$${TOKEN}", "$${TOKEN}"),
        ("100 $", "100 $"),
        ("$TOKEN", "$TOKEN"),
        ("a}b", "a}b"),
    ],
)
def test_references_become_values(text: str, value: str) -> None:
    assert filled(text).data == value


def test_values_are_replaced_however_deep_and_keys_never() -> None:
    assert filled({"${TOKEN}": [{"a": "${TOKEN}"}, 1, None]}).data == {"${TOKEN}": [{"a": "s3cret"}, 1, None]}


def test_a_value_is_not_looked_into_again() -> None:
    reports = Reports()
    assert interpolate("${A}", {"A": "${B} $$", "B": "x"}, reports).data == "${B} $$"
    assert not reports


def test_what_came_from_outside_is_remembered() -> None:
    assert filled({"a": "Bearer ${TOKEN}", "b": "plain"}).values == {"s3cret", "Bearer s3cret"}


def test_an_unset_variable_is_a_problem_and_never_a_blank() -> None:
    code, message, hint = refused("${GONE_FISHING}")
    assert (code, message) == ("unset-variable", "the environment variable GONE_FISHING is not set")
    assert "${GONE_FISHING:-…}" in hint


def test_an_empty_variable_is_as_good_as_unset() -> None:
    assert refused("${EMPTY}")[:2] == ("unset-variable", "the environment variable EMPTY is empty")


def test_a_misspelt_variable_is_guessed() -> None:
    assert refused("${SLACK_BOT_TOKN}")[2] == "did you mean ${SLACK_BOT_TOKEN}?"


@pytest.mark.parametrize("text", ["${}", "${A B}", "${1A}", "${", "${A", "${A:default}", "${env:A}"])
def test_what_looks_like_a_reference_but_is_none_is_a_problem(text: str) -> None:
    assert refused(text)[0] == "bad-reference"


def test_a_file_gives_its_text_without_the_last_line_break(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    result = filled(f"${{file:{tmp_path}/token}}")
    assert result.data == "s3cret"
    assert result.values == {"s3cret"}


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    code, message, _ = refused(f"${{file:{tmp_path}/gone}}")
    assert (code, message) == ("unreadable-secret-file", f"{tmp_path}/gone: No such file or directory")
    assert refused(f"${{file:{tmp_path}}}")[0] == "unreadable-secret-file"


def test_a_pipe_holds_no_secret_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    code, message, _ = refused(f"${{file:{tmp_path}/pipe}}")
    assert (code, message) == ("unreadable-secret-file", f"{tmp_path}/pipe: it is no file")


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * 70_000])
def test_a_file_that_holds_no_secret_is_a_problem(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    code, message, _ = refused(f"${{file:{tmp_path}/token}}")
    assert code == "unreadable-secret-file"
    assert "xx" not in message


@given(st.text())
def test_a_doubled_dollar_always_gives_the_text_back(text: str) -> None:
    assert filled(text.replace("$", "$$")).data == text


def test_the_variables_of_a_tree_are_those_that_its_texts_refer_to() -> None:
    tree: Json = {"${KEY}": ["${A}/${B:-b}", {"x": "$${ESCAPED} ${file:/run/C} $D {E}"}], "n": 1, "none": None}
    assert variables_in(tree) == {"A", "B"}
    assert variables_in("${not a name} ${") == frozenset()


def test_where_there_are_no_secrets_each_has_a_stand_in_that_goes_nowhere() -> None:
    data: Json = ["${SLACK_TOKEN}", "${file:/nowhere/at/all}", "${CHANNEL:-C0123}", "${SET}", "${no reference"]
    reported: list[str] = []
    found = interpolate(data, StandIns(SET="as set"), lambda _, code, *_rest: reported.append(code)).data
    assert found == [
        "https://slack-token.stand-in.example",
        "https://file-nowhere-at-all.stand-in.example",
        "C0123",
        "as set",
        "${no reference",
    ]
    assert reported == ["bad-reference"]


def test_what_stands_in_for_a_value_is_known_as_such() -> None:
    assert is_stand_in(StandIns.value("SOME_TOKEN"))
    assert not is_stand_in("https://hooks.example.com/stand-in")
