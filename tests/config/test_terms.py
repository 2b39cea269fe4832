"""What a deliver entry asks of its deliveries beside their message, read back from what was planned."""

import pytest

from bridge.model import Delivery, Terms
from tests.config.test_loading import deliveries
from tests.support.deals import Deal
from tests.support.rules import HEAD, Rules


def lost(rules: Rules, entry: str, head: str = HEAD) -> Delivery:
    """Plan the one delivery of an entry, whose message says that a deal was lost."""
    rules.write(f"routes: [{{name: lost, on: deal.lost, deliver: [{{{entry}}}]}}]\n", head=head)
    deal = Deal(name="Loja Ação")
    [delivery] = deliveries(rules.load().ruleset, deal.created(), deal.lost())
    return delivery


@pytest.mark.parametrize(
    ("written", "terms"),
    [
        ("", Terms()),
        (", retry: {attempts: 3}", Terms({"attempts": 3})),
        (", retry: {first: 500ms, max: 1.5h, horizon: 1w}", Terms({"first": 0.5, "max": 5400, "horizon": 604_800})),
        (", on_unknown: park", Terms(on_unknown="park")),
        (", on_unknown: retry", Terms()),
        (", ordering: none", Terms(ordered=False)),
        (", ordering: key", Terms()),
        (", supersede: true", Terms(supersedes=True)),
        (", supersede: false", Terms()),
    ],
)
def test_every_term_of_an_entry_reaches_its_deliveries(rules: Rules, written: str, terms: Terms) -> None:
    assert lost(rules, f"to: sales, text: x{written}").terms == terms


def test_the_terms_of_one_entry_are_not_those_of_the_next(rules: Rules) -> None:
    rules.write("""\
        routes:
          - name: lost
            on: deal.lost
            deliver:
              - {to: sales, text: x, retry: {attempts: 1}, on_unknown: park, ordering: none, supersede: true}
              - {to: sales, text: y}
        """)
    deal = Deal()
    first, second = deliveries(rules.load().ruleset, deal.created(), deal.lost())
    assert first.terms == Terms({"attempts": 1}, "park", ordered=False, supersedes=True)
    assert second.terms == Terms()


def test_terms_are_no_part_of_the_message(rules: Rules) -> None:
    delivery = lost(
        rules, "to: sales, text: x, retry: {attempts: 1}, on_unknown: park, ordering: none, supersede: true"
    )
    assert delivery.content == {"text": "x"}


@pytest.mark.parametrize(
    ("entry", "supersedes"),
    [
        ("method: PUT, text: x", True),
        ("method: PUT, text: x, supersede: false", False),
        ("method: POST, text: x", False),
        ("method: POST, text: x, supersede: true", True),
        ("text: x", False),
        ("method: \"{{ 'PUT' if deal.name else 'POST' }}\", text: x", True),
        ("method: \"{{ 'POST' if deal.name else 'PUT' }}\", text: x", False),
    ],
)
def test_what_replaces_what_was_there_supersedes_by_itself(rules: Rules, entry: str, *, supersedes: bool) -> None:
    assert lost(rules, f"to: billing, {entry}").terms.supersedes is supersedes


def test_so_does_the_method_of_the_target(rules: Rules) -> None:
    puts = HEAD.replace("type: http,", "type: http, method: PUT,")
    assert lost(rules, "to: billing, text: x", puts).terms.supersedes
    assert not lost(rules, "to: billing, text: x, method: POST", puts).terms.supersedes


def test_superseding_leaves_the_other_terms_as_they_are(rules: Rules) -> None:
    delivery = lost(rules, "to: billing, method: PUT, text: x, retry: {attempts: 3}, on_unknown: park, ordering: none")
    assert delivery.terms == Terms({"attempts": 3}, "park", ordered=False, supersedes=True)


@pytest.mark.parametrize(
    ("entry", "bucket"),
    [
        ("to: sales, text: x", ""),
        ("to: sales, text: x, channel: C0123SALES", ""),
        ("to: sales, text: x, channel: C0LOSSES", "C0LOSSES"),
        ("to: sales, text: x, channel: \"{{ 'C0BIG' if deal.amount_total > 5000 else 'C0SMALL' }}\"", "C0BIG"),
        ("to: billing, text: x, path: deals", ""),
        ("to: screen, text: x", ""),
    ],
)
def test_a_message_is_counted_where_its_service_counts_it(rules: Rules, entry: str, bucket: str) -> None:
    assert lost(rules, entry).bucket == bucket
