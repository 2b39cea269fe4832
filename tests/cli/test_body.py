from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest

from bridge.cli.body import changed, new_id, read, sample_names, story
from bridge.sources.rdstation_crm import RdStationCrm

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CRM = "rdstation_crm"


def deal(**fields: Any) -> Any:
    return {"document": {"id": "1", "status": "ongoing", "closed_at": None, "updated_at": "now", **fields}}


def test_every_sample_that_is_listed_can_be_told() -> None:
    names = sample_names(CRM, NOW)
    assert {"crm_deal_updated", "deal.lost", "task.completed"} <= names.keys()
    for name in names:
        assert story(CRM, name, NOW)[-1]["event_name"] in RdStationCrm.events


def test_a_misspelt_sample_is_met_with_the_one_that_was_meant() -> None:
    with pytest.raises(click.UsageError, match=r'there is no sample "deal.lots"; did you mean "deal.lost"\?'):
        story(CRM, "deal.lots", NOW)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("document.amount_total=9000", 9000),
        ("document.amount_total=9000.50", 9000.5),
        ("document.amount_total=null", None),
        ("document.amount_total=São Paulo", "São Paulo"),
        ('document.amount_total="9000"', "9000"),
        ("document.amount_total=a=b", "a=b"),
        ("document.amount_total=", ""),
    ],
)
def test_a_value_is_json_or_else_text(setting: str, value: object) -> None:
    assert changed([deal()], [setting]) == [deal(amount_total=value)]


def test_a_field_that_is_misspelt_is_told_with_the_one_that_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert changed([deal(amount_total=1)], ["document.amount_totl=9", "document.score=7"])
    assert capsys.readouterr().err == (
        '--set document.amount_totl: "amount_totl" is new to the sample; did you mean "amount_total"?\n'
    )


def test_where_a_text_stood_a_number_is_a_text_too() -> None:
    settings = ["document.id=650878", "document.phone=5511"]
    assert changed([deal(phone="1199")], settings) == [deal(id="650878", phone="5511")]
    assert changed([deal(phone="1199")], ["document.phone=null"]) == [deal(phone=None)]


def test_a_relation_that_is_empty_or_not_there_is_made() -> None:
    settings = ["document.campaign.name=Black Friday", "document.user.email=a@b.c"]
    assert changed([deal(campaign=None)], settings) == [
        deal(campaign={"name": "Black Friday"}, user={"email": "a@b.c"})
    ]


def test_an_item_of_a_list_is_named_by_its_number() -> None:
    fields = [{"value": None}, {"value": 2}]
    assert changed([deal(fields=fields)], ["document.fields.0.value=1"]) == [deal(fields=[{"value": 1}, {"value": 2}])]


@pytest.mark.parametrize(
    "setting", ["document.name.first=x", "document.fields.7=x", "document.fields.x.y=1", "x", "=x"]
)
def test_a_setting_that_names_no_place_is_refused(setting: str) -> None:
    with pytest.raises(click.UsageError):
        changed([deal(name="Loja", fields=[1])], [setting])


@pytest.mark.parametrize("status", ["lost", "won"])
def test_a_deal_that_is_closed_gets_the_time_of_closing(status: str) -> None:
    assert changed([deal()], [f"document.status={status}"]) == [deal(status=status, closed_at="now")]


def test_a_deal_that_is_opened_again_loses_the_time_of_closing() -> None:
    closed = deal(status="lost", closed_at="now")
    assert changed([closed], ["document.status=ongoing"]) == [deal(status="ongoing", closed_at=None)]


def test_a_time_of_closing_that_was_given_stays() -> None:
    settings = ["document.closed_at=2025-01-01T00:00:00Z", "document.status=lost"]
    assert changed([deal()], settings) == [deal(status="lost", closed_at="2025-01-01T00:00:00Z")]


def test_only_the_last_of_a_story_is_changed_but_an_id_changes_in_all_of_it() -> None:
    before, last = deal(), deal(status="paused")
    assert changed([before, last], ["document.id=7", "document.name=Loja"]) == [
        deal(id="7"),
        deal(status="paused", id="7", name="Loja"),
    ]
    assert before == deal(), "what was handed in stays as it was"


def test_a_new_id_is_a_text_and_never_the_same() -> None:
    ids = [story_id(changed([deal()], [new_id()])) for _ in range(2)]
    assert ids[0] != ids[1]
    assert all(isinstance(each, str) for each in ids)


def story_id(told: Any) -> object:
    return told[-1]["document"]["id"]


def test_a_file_that_is_no_json_is_refused_with_the_place(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text('{\n"a": }')
    with pytest.raises(click.UsageError, match=r"event\.json:2:6: no JSON"):
        read(str(file))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match="cannot be read: No such file"):
        read(str(tmp_path / "none.json"))


@pytest.mark.parametrize("depth", [300, 100_000])
def test_a_file_that_is_nested_beyond_measure_is_refused(tmp_path: Path, depth: int) -> None:
    deep = tmp_path / "deep.json"
    deep.write_text("[" * depth + "]" * depth)
    with pytest.raises(click.UsageError, match=f"{deep}: it is nested too deeply"):
        read(str(deep))


@pytest.mark.parametrize("setting", ["amount_total=5", "user.email=ana@acme.com"])
def test_a_field_of_the_document_is_not_set_beside_it(setting: str) -> None:
    body = deal(amount_total=1, user={"email": None})
    with pytest.raises(click.UsageError, match=rf"did you mean document\.{setting.partition('=')[0]}\?"):
        changed([body], [setting])
    assert changed([body], ["event_name=x"])[0]["event_name"] == "x"  # type: ignore[index,call-overload]  # an object
