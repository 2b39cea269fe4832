from textwrap import dedent
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.options import Place, read_yaml
from bridge.options.yaml import MAX_BYTES, MAX_DEPTH

QUOTES = "a quotation mark within a quoted text ends it: write the other kind inside, as in \"{{ x | default('—') }}\""


def data(text: str) -> object:
    read = read_yaml(text.encode(), "routes.yaml")
    assert read.problems == ()
    return read.data


def problems(content: str | bytes) -> list[str]:
    read = read_yaml(content.encode() if isinstance(content, str) else content, "f")
    return [str(problem) for problem in read.problems]


@pytest.mark.parametrize(
    "word", ["yes", "no", "on", "off", "y", "N", "12:30", "1_000", "2024-01-01", ".inf", "0b1", "+"]
)
def test_what_only_older_yaml_gave_a_meaning_is_text(word: str) -> None:
    assert data(f"key: {word}") == {"key": word}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("0", 0),
        ("-17", -17),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.5", 1.5),
        (".5", 0.5),
        ("-1.", -1.0),
        ("1e3", 1000.0),
        ("2.5e-1", 0.25),
        ('"1"', "1"),
        ("!!str 1", "1"),
        ("'true'", "true"),
    ],
)
def test_plain_scalars_are_those_of_the_core_schema(written: str, meant: object) -> None:
    read = data(f"key: {written}")
    assert isinstance(read, dict)
    assert read == {"key": meant}
    assert type(read["key"]) is type(meant)


def test_a_number_too_long_to_be_one_stays_text_digit_by_digit() -> None:
    assert data("id: 12345678901234567890") == {"id": "12345678901234567890"}


@pytest.mark.parametrize("text", [f"!!int {2**64}", "!!float inf", "!!float nan", "!!float 1e999"])
def test_a_number_that_json_cannot_hold_is_refused_even_with_its_tag(text: str) -> None:
    assert problems(f"a: {text}") == ["f:1:4: unsupported-yaml: this is no value of the tag before it; remove the tag"]


def test_an_empty_file_holds_nothing() -> None:
    assert data("") is None
    assert data("# only a comment\n") is None


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert read_yaml(b"\xef\xbb\xbfa: 1", "f").data == {"a": 1}


def test_every_key_and_value_knows_its_place() -> None:
    read = read_yaml(b"routes:\n  - name: x\n    match: {a: [1, 2]}\n", "f")
    assert read.key(("routes", 0, "match", "a")) == Place("f", 3, 13)
    assert read.value(("routes", 0, "match", "a", 1)) == Place("f", 3, 20)
    assert read.value(("routes", 0, "name")) == Place("f", 2, 11)
    assert read.key(("routes", 0)) == Place("f", 2, 5)


def test_what_is_not_there_stands_where_it_would_belong() -> None:
    read = read_yaml(b"a:\n  b: 1\n", "f")
    assert read.value(("a", "missing", "deeper")) == Place("f", 2, 3)
    assert read_yaml(b"", "f").value(("a",)) == Place("f", 1, 1)


def test_a_word_of_a_text_is_found_exactly() -> None:
    read = read_yaml(b'a: |\n  one\n  two one\nb: "x {{ deal.nmae }}"\nc: "one\n  two"\n', "f")
    assert read.within(("a",), 2, "one") == Place("f", 3, 7)
    assert read.within(("b",), 1, "deal.nmae") == Place("f", 4, 10)
    assert read.within(("c",), 1, "two") == Place("f", 6, 3)


def test_a_word_that_is_spelt_otherwise_is_found_as_near_as_can_be() -> None:
    read = read_yaml(b'a: |\n  one\n  two\nb: "t\\u0077o"\n', "f")
    assert read.within(("a",), 2, "three") == Place("f", 3, 1)
    assert read.within(("a",), 2) == Place("f", 3, 1)
    assert read.within(("b",), 1, "two") == Place("f", 4, 4)


def test_a_repeated_key_names_the_first_line_and_the_first_value_stays() -> None:
    read = read_yaml(b"a: 1\nb: 2\na: 3\n", "f")
    assert read.data == {"a": 1, "b": 2}
    assert list(map(str, read.problems)) == ['f:3:1: repeated-key: "a" stands here twice; first on line 1']


def test_aliases_are_expanded() -> None:
    assert data("a: &x {b: [1]}\nc: *x\n") == {"a": {"b": [1]}, "c": {"b": [1]}}


def test_a_bomb_of_aliases_is_refused_before_it_goes_off() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{c}: &{c} [{', '.join([f'*{p}'] * 9)}]" for p, c in zip("abcdefgh", "bcdefghi", strict=True)]
    read = read_yaml("\n".join(lines).encode(), "f")
    assert [problem.code for problem in read.problems] == ["too-large"]
    assert read.data is None


def test_an_alias_within_itself_is_refused() -> None:
    assert problems("a: &x [*x]") == [f"f:1:4: too-large: it is nested more than {MAX_DEPTH} levels deep"]


@pytest.mark.parametrize("opening", ["[", "- ", "{a: ", "? "])
def test_depth_is_bounded_however_it_is_written(opening: str) -> None:
    read = read_yaml(opening.encode() * 5000, "f")
    assert {problem.code for problem in read.problems} <= {"too-large", "syntax-error"}
    assert read.problems


@pytest.mark.parametrize("depth", [MAX_DEPTH + 10, 900])
def test_depth_that_the_parser_still_bears_is_refused_too(depth: int) -> None:
    assert "too-large" in problems("[" * depth + "]" * depth)[0]


def test_a_file_over_a_mebibyte_is_not_read() -> None:
    assert problems(b"a: " + b"x" * MAX_BYTES) == ["f:1:1: too-large: the file is larger than 1 MiB"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a: 1\nb: \xe7\n", "f:2:4: not-utf-8: here the file is no UTF-8; save it in UTF-8"),
        ("a:\n\tb: 1\n", "f:2:1: syntax-error: a tab cannot indent; use spaces"),
        ("a: [1, 2\nb: c\n", 'f:2:2: syntax-error: a "," or the closing "]" is missing; opened on line 1'),
        ("a: 'x\n", "f:2:1: syntax-error: a quotation mark is never closed; opened on line 1"),
        ("a: 1\n b: 2\n", "f:2:3: syntax-error: a key cannot stand here; is it indented like the lines around it?"),
        (
            'a: "{{ x | default("y") }}"\n',
            "f:1:21: syntax-error: here a key was expected; " + QUOTES,
        ),
        (
            'a: "{{ x }}\nb: 1\nc: "{{ y }}"\n',
            "f:3:5: syntax-error: here a key was expected; is the quotation mark on line 1 never closed?",
        ),
        (
            "match:\n  amount >= 5\n  b.c: 1\n",
            'f:3:6: syntax-error: a key cannot stand here; line 2 has no ":" after its key',
        ),
        ("a: b: c", 'f:1:5: syntax-error: a key cannot stand here; a text with ": " in it needs quotes around it'),
        ("a: *gone", "f:1:4: syntax-error: this alias names no anchor"),
        ("a: \x07", "f:1:4: syntax-error: a sign stands here that YAML does not allow; delete it"),
        ("--- 1\n--- 2\n", "f:2:1: syntax-error: the file holds more than one document"),
        ("t: {{ deal.name }}", 'f:1:4: unquoted-template: a template needs quotes around it; write "{{ … }}"'),
        (
            "t: {{ deal.name }}: {{ deal.id }}",
            'f:1:19: syntax-error: a key cannot stand here; a template needs quotes around it: "{{ … }}"',
        ),
        ("a: !secret x", "f:1:4: unsupported-yaml: the tag !secret is not supported; remove it"),
        ("a: !!set {x, y}", "f:1:4: unsupported-yaml: the tag !!set is not supported; remove it"),
        ("a: !!int x", "f:1:4: unsupported-yaml: this is no value of the tag before it; remove the tag"),
        ("a:\n  <<: {b: 1}", 'f:2:3: unsupported-yaml: merging with "<<" is not supported; repeat the keys'),
        ("1: x", 'f:1:1: key-is-no-text: the key 1 is a number; write it in quotes: "1"'),
        ("true: x", 'f:1:1: key-is-no-text: the key true is true or false; write it in quotes: "true"'),
        ("? [a]\n: x", "f:1:3: key-is-no-text: a key must be a text"),
    ],
)
def test_a_defect_of_writing_is_told_where_it_stands(content: str | bytes, expected: str) -> None:
    assert problems(content) == [expected]


def test_one_defect_does_not_hide_the_next() -> None:
    text = dedent(
        """\
        1: a
        b: 2
        b: 3
        c: !x 4
        """
    )
    assert [line.split(": ")[0] for line in problems(text)] == ["f:1:1", "f:3:1", "f:4:4"]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.text(st.characters(codec="ascii", min_codepoint=32)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), inner),
    max_leaves=10,
)


@given(json_values)
def test_json_is_yaml(value: object) -> None:
    import json  # noqa: PLC0415 (the oracle, used here alone)

    assert read_yaml(json.dumps(value).encode(), "f").data == value


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail(content: bytes) -> None:
    read = read_yaml(content, "f")
    assert all(problem.place.line >= 1 and problem.place.column >= 1 for problem in read.problems)


@pytest.mark.parametrize(
    "text", ["{" + ", ".join(map(str, range(20_000))) + "}", "".join(f"k{number}: 1\n" for number in range(20_000))]
)
def test_a_mapping_takes_time_in_proportion_to_its_keys(text: str) -> None:
    began = process_time()
    read_yaml(text.encode(), "f")
    assert process_time() - began < 2  # a tenth of that, and three times that in proportion to their square
