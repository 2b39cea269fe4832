"""Deliver entries to an email target, as `check` sees them."""

import pytest

from bridge.rendering import Structure
from tests.support.rules import Rules

HEAD = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  mail: {type: email, host: mail.example.com, from: bridge@example.com}
"""
HTML = "<p>{{ deal.name }}</p>\n"


def entry(text: str) -> str:
    return f"routes:\n  - name: lost\n    on: deal.lost\n    deliver:\n      - {{to: mail, subject: s, {text}}}\n"


@pytest.mark.parametrize("name", ["email/lost.html.j2", "email/LOST.HTML.j2"])
def test_a_template_that_is_named_html_fills_html(rules: Rules, name: str) -> None:
    rules.template(name, HTML)
    rules.write(entry(f'recipients: "{{{{ deal.user.email }}}}", template: {name}'), head=HEAD)
    [route] = rules.load().ruleset.routes
    content = route.deliver[0].content
    assert isinstance(content, Structure)
    assert set(content.parts) == {"subject", "recipients", "html"}


def test_any_other_template_fills_the_text(rules: Rules) -> None:
    rules.template("email/lost.txt.j2", HTML)
    rules.write(entry("recipients: a@example.com, template: email/lost.txt.j2, html: <b>x</b>"), head=HEAD)
    assert rules.load().warnings == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("recipients: a@example.com, template: x.html.j2, html: y", '"template" and "html" both hold the message'),
        ('recipients: "a@example.com, b@example.com", text: y', "write a list: [a@example.com, b@example.com]"),
        ('recipients: ["{{ deal.user.email }}", chefe], text: y', 'item 2 of "recipients"'),
        ('recipients: "{{ deal.user.email }}"', 'needs "text", "html" or "template"'),
        ("text: y", 'needs the key "recipients"'),
        ("recipients: a@example.com, text: y, headers: {Bcc: x@example.com}", 'the header "Bcc" cannot be set'),
    ],
)
def test_what_cannot_work_is_told_with_its_place(rules: Rules, text: str, problem: str) -> None:
    rules.template("x.html.j2", HTML)
    rules.write(entry(text), head=HEAD)
    [told] = rules.problems()
    assert problem in told
