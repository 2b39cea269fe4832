import sys
import unicodedata

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.cli.screen import STYLES, Column, clean, colour, table
from bridge.control.holding import Standing
from bridge.model import DeliveryState, EventState, Outcome

COLUMNS = (Column("ID"), Column("NAME", fold=True))


@given(st.text())
def test_what_a_stranger_wrote_cannot_steer_the_terminal(text: str) -> None:
    control = {sign for sign in clean(text) if unicodedata.category(sign) == "Cc"}
    assert control <= {"\t", "\n"}


def test_text_that_would_turn_the_line_around_is_defused() -> None:
    assert clean("a\u202eb\x1b[31mc") == "a�b�[31mc"


@given(st.text(alphabet=st.characters().filter(str.isprintable)))
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert clean(text) == text


def test_every_state_and_outcome_has_a_colour() -> None:
    assert {*EventState, *DeliveryState, *Outcome, *Standing} == STYLES.keys()
    assert "\x1b[" in colour("dead")


def test_a_piped_table_is_aligned_text(capsys: pytest.CaptureFixture[str]) -> None:
    table(COLUMNS, [("evt_1", "a\nb"), ("e", None)], nothing="none")
    assert capsys.readouterr().out == "ID     NAME\nevt_1  a b\ne\n"


def test_a_table_without_rows_says_so_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    table(COLUMNS, [], nothing="No events.")
    assert capsys.readouterr() == ("", "No events.\n")


def test_a_column_without_values_is_left_out_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    table(COLUMNS, [("evt_1", None), ("evt_2", "")], nothing="none")
    out = capsys.readouterr().out
    assert "evt_2" in out
    assert "NAME" not in out


def test_a_table_on_a_terminal_shows_data_that_looks_like_markup_as_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    table(COLUMNS, [("evt_1", "[bold]Loja[/bold] dead")], nothing="none")
    assert "[bold]Loja[/bold] dead" in capsys.readouterr().out


def test_on_a_narrow_terminal_an_id_is_whole_and_what_has_no_room_stands_below(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    columns = (Column("ID"), Column("CREATED"), Column("ROUTE", fold=True), Column("REASON", fold=True))
    row = ("dlv_01a21b0cacadc3f97312c598fc63", "2026-11-27", "deal-lost", "not accepted " * 5)
    table(columns, [row, (row[0], row[1], "", "")], nothing="none")
    lines = [click.unstyle(line) for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if line.startswith("dlv_")] == [row[0]] * 2
    assert max(map(len, lines)) <= 40
    assert "created 2026-11-27, route deal-lost" in " ".join(" ".join(lines).split())
