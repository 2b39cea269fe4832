"""Warnings of what has no effect, though nothing is wrong with it by itself."""

import pytest

from tests.support.rules import Rules

HEAD = """\
version: 1
sources:
  crm: {{type: rdstation_crm}}
targets:
  sales: {{type: slack, token: xoxb-1, channel: C0123SALES{options}}}
"""


def warned(rules: Rules, options: str = "", entry: str = "") -> list[tuple[str, str]]:
    """Load rules with more options of the target, and more keys of the entry; return what is warned of, and where.

    The place is what is written there.
    """
    route = f"""\
    routes:
      - name: lost
        on: deal.lost
        deliver:
          - {{to: sales, text: x{entry}}}
    """
    rules.write(route, head=HEAD.format(options=options))
    lines = rules.path.read_text("utf-8").splitlines()
    warnings = rules.load().warnings
    assert {warning.code for warning in warnings} <= {"no-effect"}
    return [(lines[each.place.line - 1][each.place.column - 1 :].rstrip("}"), str(each)) for each in warnings]


@pytest.mark.parametrize(
    ("options", "entry"),
    [
        ("", ""),
        (", look_up: true", ", on_unknown: retry"),
        ("", ", on_unknown: park"),
        (", rate: 100/10s, retry: {first: 1s, max: 10s, horizon: 10s}", ""),
        (", rate: 100/10s", ", retry: {first: 1s, max: 10s, horizon: 10s, attempts: 1}"),
        (", rate: 100/10s, retry: {first: 1s}", ", retry: {attempts: 3}, ordering: none, supersede: true"),
    ],
)
def test_what_has_an_effect_is_not_warned_of(rules: Rules, options: str, entry: str) -> None:
    assert warned(rules, options, entry) == []


def test_nobody_needs_to_wait_for_a_person_where_the_target_looks_up(rules: Rules) -> None:
    [(place, warning)] = warned(rules, ", look_up: true", ", on_unknown: park")
    assert place == "on_unknown: park"
    assert 'entry 1 of route "lost": its target never doubles a message; leave `on_unknown` out' in warning


def test_a_schedule_that_is_shorter_than_the_rate_of_its_target_never_comes_about(rules: Rules) -> None:
    longest, horizon = warned(rules, ", rate: 100/10s, retry: {max: 9s, horizon: 5s}")
    assert (longest[0], horizon[0]) == ("max: 9s, horizon: 5s", "horizon: 5s")
    assert (
        '"max" of "retry" of target "sales": no wait is shorter than the 10s that its rate is counted in' in longest[1]
    )
    assert '"horizon" of "retry" of target "sales": nothing is tried twice, for no wait is shorter' in horizon[1]


def test_an_entrys_neither(rules: Rules) -> None:
    [(place, warning)] = warned(rules, ", rate: 10/m", ", retry: {max: 30s}")
    assert place == "max: 30s"
    assert (
        'of entry 1 of route "lost": no wait is shorter than the 1m that the rate of its target is counted' in warning
    )


def test_the_rate_that_a_service_is_known_for_counts_too(rules: Rules) -> None:
    [(place, warning)] = warned(rules, ", retry: {max: 500ms, first: 1ms}")
    assert place.startswith("max: 500ms")
    assert "the 1s that its rate is counted in" in warning
