"""Charts of deliver entries: in the region of their file, and told of when nothing here can draw them."""

import pytest

from bridge.chart import Chart
from bridge.component import Action
from bridge.config.charts import chart_fields, regional
from bridge.rendering import Region
from tests.config.test_loading import deliveries
from tests.support.deals import Deal
from tests.support.rules import HEAD, Rules

RULES = """\
routes:
  - name: deal-lost
    on: deal.lost
    deliver:
      - to: sales
        text: perdida
        chart: {title: "{{ deal.name }}", data: {"Preço": "{{ deal.amount_total }}"}, unit: money}
"""


def chart_of(rules: Rules, text: str, head: str = HEAD) -> object:
    rules.write(text, head=head)
    deal = Deal()
    (delivery,) = deliveries(rules.load().ruleset, deal.created(), deal.lost())
    assert delivery.content is not None, delivery.reason
    return delivery.content["chart"]


def test_what_is_kept_are_its_figures_and_the_region_of_the_file(rules: Rules) -> None:
    kept = {"title": "Loja Ação", "data": {"Preço": 11050.5}, "unit": "money"}
    assert chart_of(rules, RULES) == {**kept, "locale": "pt-BR", "currency": "BRL"}
    american = HEAD + "defaults: {locale: en-US, timezone: America/New_York, currency: USD}\n"
    assert chart_of(rules, RULES, american) == {**kept, "locale": "en-US", "currency": "USD"}


def test_a_chart_may_say_otherwise(rules: Rules) -> None:
    chart = chart_of(rules, RULES.replace("unit: money", "unit: money, currency: EUR"))
    assert Chart.model_validate(chart).currency == "EUR"


def test_figures_may_come_from_one_expression(rules: Rules) -> None:
    written = RULES.replace('{"Preço": "{{ deal.amount_total }}"}', "\"{{ [deal] | ranked('name') }}\"")
    assert [row.label for row in Chart.model_validate(chart_of(rules, written)).data] == ["Loja Ação"]


def test_figures_that_are_none_make_a_dead_letter(rules: Rules) -> None:
    rules.write(RULES.replace("deal.amount_total", "deal.name"))
    deal = Deal()
    (delivery,) = deliveries(rules.load().ruleset, deal.created(), deal.lost())
    assert delivery.content is None
    assert delivery.reason == '"data" of "chart" must be a number, not a text'


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("kind: radar", "bad-value"),
        ("colour: red", "unknown-key"),
        ("most: 99", "bad-value"),
        ("unit: {}", "bad-value"),
    ],
)
def test_what_is_no_chart_is_found_where_it_stands(rules: Rules, written: str, told: str) -> None:
    rules.write(RULES.replace("unit: money", written))
    [problem] = rules.problems()
    assert told in problem


def test_where_nothing_can_draw_it_check_says_what_to_install(rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.chart.pencil.importlib.util.find_spec", lambda _: None)
    rules.write(RULES)
    [problem] = rules.problems()
    assert 'missing-package: entry 1 of route "deal-lost" has a chart: drawing needs matplotlib' in problem
    rules.write(RULES.replace("chart:", "# chart:"))
    assert rules.load().ruleset.routes


def test_one_chart_or_several_are_found_by_their_type() -> None:
    class Several(Action):
        text: str = ""
        chart: Chart | None = None
        charts: list[Chart] = []  # noqa: RUF012 (a model's default)

    assert chart_fields(Several) == {"chart", "charts"}


def test_each_of_several_has_the_region_and_what_a_template_gives_has_its_own() -> None:
    region = Region.of("en-US", "America/New_York", "USD")
    assert regional([{}, "{{ chart }}"], region) == [{"locale": "en-US", "currency": "USD"}, "{{ chart }}"]
