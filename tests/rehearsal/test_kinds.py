"""Values of a kind that a field never has."""

import pytest

from tests.rehearsal.conftest import Checking


def warnings(rules: Checking, match: str) -> list[str]:
    route = f"{{name: a, on: deal.lost, match: {match}, deliver: [{{to: screen, text: x}}]}}"
    return list(rules.warnings(f"routes: [{route}]"))


@pytest.mark.parametrize(
    ("match", "told"),
    [
        ('{rating: "5"}', '"rating" is compared with the text "5"; write the number 5, without quotes'),
        (
            '{amount_total: {in: [1, "R$ 1.500,50"]}}',
            'compared with the text "R$ 1.500,50"; write the number 1500.50, without quotes',
        ),
        ("{amount_total: muito}", 'compared with the text "muito"; it is a number'),
        (
            '{amount_total: "> R$ 5.000,00"}',
            "to compare with the number write `amount_total: {gt: 5000}`",
        ),
        ("{deal_stage: Proposta}", 'and no value of its own; write "deal_stage.name"'),
        ("{user: {ne: Ana}}", 'write "user.name"'),
        ("{not: {deal_pipeline: {in: [A, B]}}}", 'write "deal_pipeline.name"'),
        (
            "{amount_total: {gte: 5.000}}",
            "5.000 is 5: the point begins the fraction; if thousands are meant, write 5000",
        ),
        (
            "{custom.Valor: 12.500}",
            "12.500 is 12.5: the point begins the fraction; if thousands are meant, write 12500",
        ),
    ],
)
def test_what_matches_nothing_or_something_else_is_told(rules: Checking, match: str, told: str) -> None:
    [warning] = warnings(rules, match)
    assert warning.endswith(told)


@pytest.mark.parametrize(
    "match",
    [
        *("{rating: 5}", "{name: '5'}", "{deal_stage: null}", "{deal_stage: changed}", "{deal_stage: {exists: true}}"),
        *("{custom.Tamanho: '5'}", "{amount_total: {gte: 5000.5}}", "{amount_total: {gte: 5.25}}"),
        *("{amount_total: {lt: 12345.678}}", "{document.deal_stage: x}", "{amount_total: increased}"),
    ],
)
def test_what_can_be_meant_is_not_told(rules: Checking, match: str) -> None:
    assert warnings(rules, match) == []
