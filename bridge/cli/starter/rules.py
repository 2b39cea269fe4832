"""The text of routes.yaml and of .env.example, from what was answered."""

import json

from bridge.cli.starter.answers import REFERENCE, Answers
from bridge.cli.starter.moments import described, kind_of, lines, members, route_name

_MATCHES = {
    "deal": ("amount_total: {gte: 5000}", "deal_pipeline.name: [Funil Padrão, Enterprise]"),
    "task": ("type: [call, meeting]",),
    "contact": ("job_title: {contains: compras}",),
    "": ("name: {contains: Padaria}",),
}
"""What an example of ``match`` demands, by the kind of the entity."""

_SECRETS = '    # secrets: ["${BRIDGE_CRM_SECRET}"]'


def rules(answers: Answers) -> str:
    """Return routes.yaml."""
    words = answers.words
    parts = (
        comment("\n".join((words.head, "", *_commands(answers), "", words.reference))),
        "version: 1",
        f"{comment(words.about_defaults)}\ndefaults:\n{_defaults(answers)}",
        f"{comment(words.about_sources)}\nsources:\n  crm:\n    type: {answers.source}\n{_SECRETS}",
        f"{comment(words.about_targets)}\ntargets:\n  {_target_name(answers)}:\n{_target(answers)}",
        f"{comment(words.about_routes)}\nroutes:\n{_route(answers, answers.moments[0], first=True)}",
        *(_route(answers, moment, first=False) for moment in answers.moments[1:]),
    )
    return "\n\n".join(parts) + "\n"


def example(answers: Answers) -> str:
    """Return .env.example."""
    told = (f"{comment(text)}\n{name}=" for name, text in answers.variables.items())
    return "\n\n".join((comment(answers.words.about_variables), *told)) + "\n"


def comment(text: str, margin: str = "") -> str:
    """Return a text of several lines as a comment."""
    return "\n".join(f"{margin}# {line}".rstrip() for line in text.splitlines())


def quoted(text: str) -> str:
    """Return what somebody typed as a YAML scalar that is that very text; a reference to a variable stays one."""
    return json.dumps(text if REFERENCE.fullmatch(text) else text.replace("$", "$$"), ensure_ascii=False)


def _commands(answers: Answers) -> list[str]:
    moment = answers.moments[0]
    named = {"check": "check", "explain": f"explain {moment}", "send": f"send {moment}"}
    width = max(map(len, named.values()))
    return [f"  bridge {call.ljust(width)}   {answers.words.does[name]}" for name, call in named.items()]


def _defaults(answers: Answers) -> str:
    named = {"locale": answers.locale, "timezone": answers.timezone, "currency": answers.currency}
    return "\n".join(f"  {name}: {quoted(value)}" for name, value in named.items())


def _target_name(answers: Answers) -> str:
    return answers.words.target_names[answers.target]


def _target(answers: Answers) -> str:
    words, place = answers.words, quoted(answers.place)
    written = {
        "slack": ["type: slack", 'token: "${SLACK_BOT_TOKEN}"', f"channel: {place}"],
        "slack-webhook": ["type: slack", 'webhook_url: "${SLACK_WEBHOOK_URL}"'],
        "http": ["type: http", f"url: {place}", comment(words.about_auth), '# auth: {bearer: "${HTTP_TOKEN}"}'],
        "log": [comment(words.about_log), "type: log"],
    }
    return _indented(written[answers.target], 4)


def _route(answers: Answers, moment: str, *, first: bool) -> str:
    return "\n".join(
        (
            comment(described(moment, answers.words), "  "),
            f"  - name: {route_name(moment, answers.words)}",
            f"    on: {moment}",
            *_match(answers, moment, first=first),
            "    deliver:",
            f"      - to: {_target_name(answers)}",
            *_said(answers, moment, first=first),
        )
    )


def _match(answers: Answers, moment: str, *, first: bool) -> list[str]:
    """Return the condition that was asked for, or in the first route one to learn from, commented out."""
    words, kind = answers.words, kind_of(moment)
    if moment == "deal.lost" and answers.minimum:
        return [
            comment(words.about_minimum, "    "),
            "    match:",
            f"      amount_total: {{gte: {answers.minimum}}}",
        ]
    if not first:
        return []
    kind = kind if kind in _MATCHES else ""
    return [
        comment(words.about_match[kind], "    "),
        "    # match:",
        *(f"    #   {line}" for line in _MATCHES[kind]),
    ]


def _said(answers: Answers, moment: str, *, first: bool) -> list[str]:
    """Return the keys of the entry: a structure for a service, and a text for people."""
    words = answers.words
    if answers.target == "http":
        about = [comment(words.about_body, " " * 8)] if first else []
        told = (f"          {name}: '{text}'" for name, text in members(moment).items())
        return [*about, "        body:", f"          event: {moment}", *told]
    threads = answers.target == "slack" and first and kind_of(moment) == "deal"
    about = [comment(f"{words.about_thread}\nthread: deal", " " * 8)] if threads else []
    return [
        *about,
        "        text: |",
        _indented(lines(moment, words, slack=answers.target.startswith("slack")), 10),
    ]


def _indented(texts: list[str], margin: int) -> str:
    return "\n".join(" " * margin + text for text in texts)
