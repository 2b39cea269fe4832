"""What Slack tells of an app before it posts: whose token it is, and what becomes of its channel."""

from typing import Final

from bridge.component import Answer, Http
from bridge.model import JsonObject
from bridge.targets.slack.api import asked_as, reply_of
from bridge.targets.slack.options import SlackOptions
from bridge.targets.slack.refusals import NO_SCOPE, RefusedError, Wish, sorted_refusal

WISH: Final = Wish(own_channel=True, probing=True)
POST: Final = "chat:write"
POST_ANYWHERE: Final = "chat:write.public"
"""The scope with which an app need not be in a public channel."""


async def probed(options: SlackOptions, http: Http) -> str:
    """Return as whom the token posts, and where.

    Of https://docs.slack.dev/reference/methods: `auth.test` takes any token and names its scopes in a header,
    `conversations.info` wants `channels:read`, for a private channel `groups:read`.

    Raises:
        RefusedError: Slack refuses the token, or the channel.
        DeliveryFailure: as ``Http.deliver``.
    """
    answer = await asked_as(WISH, options, "auth.test", {}, http)
    scopes = _scopes(answer)
    if scopes is not None and POST not in scopes:
        raise _refused("missing_scope", answer)
    who = f"posts as {_text(reply_of(answer), 'user')} of {_text(reply_of(answer), 'team')}"
    try:
        told = await asked_as(WISH, options, "conversations.info", {"channel": str(options.channel)}, http)
    except RefusedError as refusal:
        if refusal.word not in NO_SCOPE:
            raise
        return f"{who}; its channel {options.channel} it may not ask about, for want of the scope channels:read"
    return f"{who} in {_channel(told, scopes)}"


def _channel(told: Answer, scopes: frozenset[str] | None) -> str:
    """Return the name of a channel that takes messages of the app; raises RefusedError for any other."""
    channel = reply_of(told).get("channel")
    found = channel if isinstance(channel, dict) else {}
    if found.get("is_archived") is True:
        raise _refused("is_archived", told)
    anywhere = scopes is None or (POST_ANYWHERE in scopes and found.get("is_private") is not True)
    if found.get("is_member") is False and not anywhere:
        raise _refused("not_in_channel", told)
    return f"#{_text(found, 'name')}"


def _scopes(answer: Answer) -> frozenset[str] | None:
    """Return the scopes of a token; None if Slack does not tell them."""
    named = answer.headers.get("x-oauth-scopes")
    return None if named is None else frozenset(scope.strip() for scope in named.split(","))


def _refused(word: str, answer: Answer) -> RefusedError:
    return RefusedError(word, sorted_refusal(word, answer, WISH))


def _text(reply: JsonObject, name: str) -> str:
    value = reply.get(name)
    return value if isinstance(value, str) and value else "?"
