"""The filters of API v2, as their official page writes them."""

import pytest

from bridge.model import JsonObject
from bridge.simulator.rdql import UnbearableFilterError, UnreadableFilterError, compiled

DEAL: JsonObject = {
    "name": "Padaria Estrela: plano anual",
    "status": "won",
    "total_price": 150.5,
    "rating": 3,
    "updated_at": "2026-11-24T12:30:00.250Z",
    "expected_close_date": "2026-12-18",
    "closed_at": None,
    "contact_ids": ["a1", "b2"],
    "emails": [{"email": "ana@x.example"}],
    "visible": True,
    "custom_fields": {"setor": "tecnologia", "canais": ["Loja", "Site"]},
}


@pytest.mark.parametrize(
    ("text", "through"),
    [
        ("status:won", True),
        ("status:lost", False),
        ("-status:won", False),
        ("-status:lost", True),
        ("total_price:>100", True),
        ("total_price:>150.5", False),
        ("total_price:>=150.5", True),
        ("total_price:<100", False),
        ("total_price:<=150.5", True),
        ("total_price:150.50", True),
        ("status:(won,lost)", True),
        ("-status:(won, lost)", False),
        ("status:(paused)", False),
        ("name:~ESTRELA", True),
        ("name:~lua", False),
        ('name:"Padaria Estrela: plano anual"', True),
        ("name:Padaria", False),
        ("contact_ids:b2", True),
        ("emails:ana@x.example", True),
        ("visible:true", True),
        ("closed_at:>2020-01-01", False),
        ("status:won total_price:>100", True),
        ("status:won and total_price:>200", False),
        ("status:lost or status:won", True),
        ("status:lost OR total_price:>100 rating:3", True),
        ("(status:won or status:lost) and total_price:>200", False),
        ("(status:won or status:lost) and (rating:3)", True),
        ("@setor:tecnologia", True),
        ("-@setor:tecnologia", False),
        ("@canais:(Site)", True),
        ("@nada:x", False),
        ("nothing:x", False),
        ("updated_at:>=2026-11-24T12:30:00Z", True),
        ("updated_at:>=2026-11-24T12:30:01Z", False),
        ("updated_at:>=2026-11-24T12:30:00", True),
        ("updated_at:>2026-11-24T09:30:00-03:00", True),
        ('updated_at:<"2026-11-25T00:00:00Z"', True),
        ("updated_at:>=2026-11-24", True),
        ("updated_at:>=2026-11-24T12:00:00Z updated_at:<2026-11-24T12:30:00Z", False),
        ("expected_close_date:<2027-01-01", True),
        ("", True),
    ],
)
def test_a_filter_says_whether_a_row_comes(text: str, through: bool) -> None:  # noqa: FBT001 (the answer)
    assert (compiled(text) if text else lambda _: True)(DEAL) is through


@pytest.mark.parametrize(
    "text", ["status", "status:", ":won", "(status:won", "status:won)", "and status:won", "status=won"]
)
def test_what_is_no_filter_is_said_so(text: str) -> None:
    with pytest.raises(UnreadableFilterError):
        compiled(text)


def test_a_time_without_a_t_breaks_the_real_api() -> None:
    with pytest.raises(UnbearableFilterError):
        compiled('updated_at:>="2026-07-22 13:11:07"')
