"""Answers to the questions of ``bridge init``, and the rules that come of them."""

from pathlib import Path
from typing import Any

from bridge.cli.starter.answers import Answers
from bridge.cli.starter.languages import LANGUAGES
from bridge.cli.starter.words import SOURCES, TARGETS
from bridge.config import load
from bridge.ruleset import Ruleset
from tests.support.clock import ManualClock

PLACES = {"slack": "${SLACK_CHANNEL}", "http": "${HTTP_URL}"}
ENVIRON = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_CHANNEL": "C0123ABCD",
    "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T0/B0/x",
    "HTTP_URL": "https://service.example.com/alerts",
    "HTTP_TOKEN": "t0ken",
    "BRIDGE_CRM_SECRET": "long-enough-secret-0123456789abcdef",
}
EACH = [(language, target) for language in LANGUAGES for target in TARGETS]
"""Every language with every target."""


def answers(language: str = "en", target: str = "log", **given: Any) -> Answers:
    words = LANGUAGES[language]
    usual: dict[str, Any] = {
        "source": next(iter(SOURCES)),
        "place": PLACES.get(target, ""),
        "moments": ("deal.lost",),
        "minimum": "",
        "locale": words.locale,
        "timezone": "America/Sao_Paulo",
        "currency": "BRL",
    }
    return Answers(words=words, target=target, **(usual | given))


def ruleset_of(text: str, folder: Path) -> Ruleset:
    """Load rules, for which all variables are set; nothing may be warned of."""
    path = folder / "routes.yaml"
    path.write_text(text, encoding="utf-8")
    result = load(path, ENVIRON, ManualClock())
    assert result.warnings == ()
    return result.ruleset
