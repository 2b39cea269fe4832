"""What is said to Slack for an entry, and how a person sees it there."""

from collections.abc import Iterator
from typing import Final

from pydantic import ValidationError

from bridge.chart import Chart, lines
from bridge.component.markdown import unescape as unescape_markdown
from bridge.model import Json, JsonObject
from bridge.targets.slack.options import SlackAction
from bridge.targets.slack.people import person
from bridge.targets.slack.text import MOST_TEXT, cut, escape, fitted, notification, unescape, written

PLACE: Final = "<mention>"
"""Where in a text the mentions stand; no data can write it, for what it begins with goes out as `&lt;`."""
REACTS: Final = ":{}: on the first message of the thread"


def said(action: SlackAction, mentions: str = "") -> JsonObject:
    """Return what is said, in words and blocks; there is always text, which notifications show."""
    unfurl: JsonObject = {"unfurl_links": action.unfurl, "unfurl_media": action.unfurl}
    blocks = action.shown
    if blocks is None:
        words = "\n".join([*filter(None, [action.text]), *_in_words(action.chart)])
        return {"text": cut(_with(mentions, words), MOST_TEXT), **unfurl}
    text = notification(blocks) if action.text is None else action.text
    leading = [_section(mentions)] if mentions else []
    return {"text": cut(_with(mentions, text), MOST_TEXT), "blocks": fitted([*leading, *blocks]), **unfurl}


def comment(action: SlackAction, mentions: str) -> JsonObject:
    """Return what is said above a chart, if anything is."""
    words = _with(mentions, action.text or "").strip()
    return {"initial_comment": cut(words, MOST_TEXT)} if words else {}


def seen(content: JsonObject) -> str:
    """Return a rendered action as a person sees it; of one that an older version has planned, what can be read."""
    try:
        action = SlackAction.model_validate(content)
    except ValidationError:
        return "\n".join(_read(content))
    if action.react is not None:
        return REACTS.format(action.react)
    people = " ".join(f"@{person(each).shown}" for each in action.people)
    read: JsonObject = {**content, "blocks": [*(action.shown or [])]}
    if action.text and PLACE in action.text:
        return "\n".join(_read({**read, "text": _with(escape(people), action.text)}))
    return "\n".join([*([people] if people else []), *_read(read)])


def _read(content: JsonObject) -> Iterator[str]:
    text, blocks, chart = content.get("text"), content.get("blocks"), content.get("chart")
    if isinstance(text, str):
        yield unescape(text)
    for each in written(blocks):
        plain = unescape(each)
        yield unescape_markdown(plain) if content.get("markdown") else plain
    yield from _figures(chart)


def _with(mentions: str, text: str) -> str:
    """Return a text with the mentions where it wants them, else before it."""
    if PLACE in text:
        return text.replace(PLACE, mentions)
    return f"{mentions} {text}" if mentions else text


def _section(text: str) -> JsonObject:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _in_words(chart: Chart | None) -> list[str]:
    """Return the figures of a chart as Slack shows them literally."""
    return [escape(line) for line in lines(chart)] if chart else []


def _figures(chart: Json) -> list[str]:
    """Return what a chart of a rendered action shows; nothing of one that an older version has planned differently."""
    try:
        return lines(Chart.model_validate(chart)) if chart is not None else []
    except ValidationError:
        return []
