"""Deliver entries to a slack target, as `check` sees them."""

import pytest

from bridge.rendering import Structure
from tests.support.rules import Rules

HEAD = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  bot: {type: slack, token: xoxb-1, channel: C1}
  hook: {type: slack, webhook_url: "https://hooks.slack.com/services/T0/B0/x"}
"""


def entry(text: str) -> str:
    return f"routes:\n  - name: lost\n    on: deal.lost\n    deliver:\n      - {{{text}}}\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("to: hook, update: deal, text: x", "a Slack webhook cannot change what it posted: give the target a token"),
        ("to: hook, thread: deal, react: tada", "a Slack webhook cannot add an emoji to a message"),
        ("to: bot, react: tada", '"react" needs "thread"'),
        ("to: bot, update: deal, thread: deal, text: x", 'takes one of "thread", which replies, and "update"'),
        ("to: bot, blocks_json: '[{]'", '"blocks_json" of entry 1 of route "lost" is not JSON'),
    ],
)
def test_what_cannot_work_is_told_with_its_place(rules: Rules, text: str, words: str) -> None:
    rules.write(entry(text), head=HEAD)
    [told] = rules.problems()
    assert words in told


def test_what_a_webhook_leaves_out_is_a_warning(rules: Rules) -> None:
    rules.write(entry('to: hook, mention: "{{ deal.user.email }}", text: x'), head=HEAD)
    assert any("calls them by name" in str(told) for told in rules.load().warnings)


@pytest.mark.parametrize(
    ("file", "field", "text"),
    [
        ("slack/a.json.j2", "blocks_json", '[{"type": "divider", "block_id": "{{ deal.id }}"}]'),
        ("slack/a.markdown.j2", "markdown", "**{{ deal.name }}**"),
        ("slack/a.md.j2", "text", "*{{ deal.name }}*"),
    ],
)
def test_a_template_fills_what_its_name_says(rules: Rules, file: str, field: str, text: str) -> None:
    rules.template(file, text)
    rules.write(entry(f"to: bot, update: deal, template: {file}"), head=HEAD)
    [route] = rules.load().ruleset.routes
    content = route.deliver[0].content
    assert isinstance(content, Structure)
    assert set(content.parts) == {"update", field}
