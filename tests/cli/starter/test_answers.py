import pytest

from bridge.cli.starter.answers import (
    OFFERED,
    read_amount,
    read_channel,
    read_currency,
    read_locale,
    read_moments,
    read_number,
    read_timezone,
    read_url,
)
from bridge.cli.starter.english import ENGLISH
from bridge.cli.starter.languages import spoken
from bridge.cli.starter.portuguese import PORTUGUESE


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "pt_BR.UTF-8"}, "pt-BR"),
        ({"LANG": "pt_PT"}, "pt-BR"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "pt_BR.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "C", "LC_ALL": "", "LC_MESSAGES": "pt_BR"}, "pt-BR"),
    ],
)
def test_the_language_is_that_of_the_environment(environ: dict[str, str], language: str) -> None:
    assert spoken(environ) == language


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("0", ""),
        ("0,00", ""),
        ("5000", "5000"),
        ("5.000", "5000"),
        ("R$ 5.000", "5000"),
        ("5.000,00", "5000"),
        ("1.250.000,5", "1250000.5"),
        ("99,90", "99.90"),
        ("99.90", "99.90"),
    ],
)
def test_an_amount_is_read_as_brazilians_write_it(typed: str, amount: str) -> None:
    assert read_amount(PORTUGUESE, typed) == amount


@pytest.mark.parametrize(("typed", "amount"), [("5,000", "5000"), ("$5,000.50", "5000.50"), ("5000", "5000")])
def test_an_amount_is_read_as_the_english_write_it(typed: str, amount: str) -> None:
    assert read_amount(ENGLISH, typed) == amount


@pytest.mark.parametrize("typed", ["", "-5", "5k", "5,000", "5.00.000", "5.0000", "1e9", "inf", "²", "9" * 13])
def test_what_could_be_two_amounts_or_none_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"5\.000,00"):
        read_amount(PORTUGUESE, typed)


@pytest.mark.parametrize(
    ("typed", "moments"),
    [
        ("1", OFFERED[:1]),
        ("1,2,3", OFFERED[:3]),
        ("3; 1  1", (OFFERED[2], OFFERED[0])),
        ("2, task.deleted", (OFFERED[1], "task.deleted")),
        ("All", OFFERED),
    ],
)
def test_moments_are_numbers_or_names(typed: str, moments: tuple[str, ...]) -> None:
    assert read_moments(ENGLISH, [typed], OFFERED) == moments


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "choose at least one"),
        ("0", 'choose a number from 1 to 10, not "0"'),
        ("1,11", 'choose a number from 1 to 10, not "11"'),
        ("deal.lots", 'there is no moment "deal.lots"; did you mean "deal.lost"?'),
        ("²", 'there is no moment "²"'),
    ],
)
def test_what_is_no_moment_is_told(typed: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read_moments(ENGLISH, [typed], OFFERED)
    assert str(caught.value) == sentence


def test_numbers_mean_nothing_where_none_were_shown() -> None:
    with pytest.raises(ValueError, match='no moment "1"'):
        read_moments(ENGLISH, ["1"])


@pytest.mark.parametrize(("typed", "chosen"), [("1", "slack"), ("2", "log"), ("log", "log")])
def test_one_of_several_is_chosen_by_number_or_name(typed: str, chosen: str) -> None:
    assert read_number(ENGLISH, typed, ["slack", "log"]) == chosen


@pytest.mark.parametrize(
    "typed", ["", "C0123\x00", "a\nb", "#vendas", "vendas", "c0123abcd", "https://acme.slack.com/archives/C0123"]
)
def test_what_is_no_channel_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="C0123ABCD"):
        read_channel(ENGLISH, typed)


def test_a_token_is_kept_out_of_the_file() -> None:
    with pytest.raises(ValueError, match="SLACK_BOT_TOKEN") as caught:
        read_channel(ENGLISH, "xoxb-s3cret")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("typed", ["https://example.com/alerts", "http://10.0.0.1:8080", "${OUR_URL}"])
def test_a_whole_address_is_taken_and_a_reference(typed: str) -> None:
    assert read_url(ENGLISH, typed) == typed


@pytest.mark.parametrize(
    "typed", ["", "example.com", "ftp://x.example", "https://ana:s3cret@x.example", "https://x/\x7f"]
)
def test_any_other_address_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="whole address") as caught:
        read_url(ENGLISH, typed)
    assert "s3cret" not in str(caught.value)


def test_region_is_read() -> None:
    assert read_timezone(ENGLISH, "America/Manaus") == "America/Manaus"
    assert read_currency(ENGLISH, "usd") == "USD"
    assert read_locale(ENGLISH, "pt-BR") == "pt-BR"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("america/sao_paulo", 'there is no timezone "america/sao_paulo"; did you mean "America/Sao_Paulo"?'),
        ("xyzzy", 'there is no timezone "xyzzy"; did you mean "America/Sao_Paulo"?'),
    ],
)
def test_a_timezone_that_is_not_there_is_told(typed: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="timezone") as caught:
        read_timezone(ENGLISH, typed)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("typed", ["", "reais"])
def test_a_currency_or_locale_that_is_not_there_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="BRL"):
        read_currency(ENGLISH, typed)
    with pytest.raises(ValueError, match="en-US"):
        read_locale(ENGLISH, typed)
    with pytest.raises(ValueError, match="America"):
        read_timezone(ENGLISH, typed)
