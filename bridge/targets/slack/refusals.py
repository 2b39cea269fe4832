"""Slack's refusals: what each word means for a delivery.

The words are those of the lists of errors of chat.postMessage, of uploads, and of incoming webhooks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from bridge.component import Answer
from bridge.component.http import NOT_US
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import JsonObject

LATER: Final = frozenset(
    {
        "external_channel_migrating",
        "file_not_found",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "rollup_error",
        "service_unavailable",
        "team_added_to_org",
        "update_failed",
    }
)
"""Not accepted, and worth another attempt, which uploads a chart anew."""
TOO_FAST: Final = frozenset({"rate_limited", "ratelimited"})
PERHAPS_POSTED: Final = frozenset({"internal_error", "fatal_error", "file_update_failed"})
"""Slack itself says that part of the work may have been done."""
NO_ACCESS: Final = frozenset(
    {
        "access_denied",
        "account_inactive",
        "action_prohibited",
        "app_access_restricted",
        "invalid_auth",
        "invalid_token",
        "missing_scope",
        "no_active_hooks",
        "no_permission",
        "no_service",
        "no_service_id",
        "no_team",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "team_disabled",
        "token_expired",
        "token_revoked",
    }
)
"""No message will be accepted until a person has seen to the app."""
NO_SCOPE: Final = frozenset({"missing_scope", "not_allowed_token_type"})
"""The refusals of a question that say nothing of whether a message would be taken."""
NO_CHANNEL: Final = frozenset(
    {
        "channel_is_archived",
        "channel_is_limited_access",
        "channel_not_found",
        "ekm_access_denied",
        "invalid_channel",
        "is_archived",
        "is_inactive",
        "messages_tab_disabled",
        "not_in_channel",
        "posting_to_channel_denied",
        "posting_to_general_channel_denied",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "team_not_found",
    }
)
"""Nor will any be in this channel: the target's own, or the one that the deliver entry names."""
NO_THREAD: Final = frozenset(
    {
        "cannot_reply_to_message",
        "message_not_found",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
        "thread_locked",
        "thread_not_found",
    }
)
"""The thread is gone or closed: the message opens a new one."""
NO_EDIT: Final = frozenset({"block_mismatch", "cant_update_message", "edit_window_closed"})
"""The message can no longer be changed: a new one takes its place."""
NO_REACTION: Final = frozenset({"already_reacted"})
"""The emoji stands there already: what was wanted."""
NO_BLOCKS: Final = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
"""The blocks are not to Slack's liking: their text is better than nothing."""
NO_METADATA: Final = frozenset(
    {"invalid_metadata_format", "invalid_metadata_schema", "metadata_must_be_sent_from_app", "metadata_too_large"}
)
"""Ours is not wanted: a message that cannot be found again is better than none."""
HINTS: Final = {
    "account_inactive": "the app or its user was removed; install the app again",
    "action_prohibited": "an administrator of the workspace has restricted this webhook",
    "channel_is_archived": "unarchive the channel or name another",
    "channel_not_found": "name the channel by its id (C…), and invite the app to a private one",
    "invalid_auth": "the token is wrong; copy it anew from the app's page",
    "invalid_token": "the address of the webhook is wrong; copy it anew from the app's page",
    "is_archived": "unarchive the channel or name another",
    "message_limit_exceeded": "the workspace has reached the limit of its plan",
    "missing_scope": "add the scope chat:write to the app and install it again",
    "no_service": "the webhook was removed or switched off; make a new one",
    "no_text": "the message came out empty",
    "not_authed": "the token is missing",
    "not_in_channel": "invite the app to the channel: /invite @app",
    "restricted_action": "an administrator has restricted posting to this channel",
    "restricted_action_read_only_channel": "the channel is read-only",
    "restricted_action_thread_only_channel": "the channel takes replies only",
    "team_not_found": "name the channel by its id (C…), not by its name",
    "token_expired": "the token has expired; copy it anew from the app's page",
    "token_revoked": "the token was revoked; install the app again",
}
"""What a person can do about it."""
READING_HINTS: Final = {
    "missing_scope": "add the scope channels:history to the app, for a private channel groups:history, and install it "
    "again, or leave out look_up",
}
"""What a person can do about it where a message was looked for."""
UPLOADING_HINTS: Final = {
    "file_upload_size_restricted": "the workspace has restricted how large files may be",
    "file_uploads_disabled": "the workspace takes no files; leave the chart out",
    "missing_scope": "add the scope files:write to the app and install it again, or leave the chart out",
    "storage_limit_reached": "the workspace has reached the limit of its plan; delete files or leave the chart out",
}
"""What a person can do about it where a chart was uploaded."""
REACTING_HINTS: Final = {
    "invalid_name": "the workspace has no such emoji; write its name as Slack does, such as tada",
    "missing_scope": "add the scope reactions:write to the app and install it again, or leave out react",
    "too_many_emoji": "the message has as many kinds of emoji as Slack allows",
    "too_many_reactions": "the message has as many reactions as Slack allows",
}
"""What a person can do about it where an emoji was to be added."""
PEOPLE_HINTS: Final = {
    "missing_scope": "add the scopes users:read and users:read.email to the app and install it again",
    "users_not_found": "nobody in the workspace has this address",
}
"""What a person can do about it where somebody was to be mentioned."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked of Slack: to take a message, a chart or an emoji, to let us read, who we or others are.

    ``own_channel`` says that it was about the channel of the target, and not one that an entry names.
    """

    own_channel: bool = True
    reading: bool = False
    uploading: bool = False
    reacting: bool = False
    about_people: bool = False
    probing: bool = False

    @property
    def words(self) -> tuple[str, Mapping[str, str]]:
        """Return what was to be done, and what a person can do where that was refused."""
        if self.reading:
            return "to be looked through", READING_HINTS
        if self.uploading:
            return "the chart", UPLOADING_HINTS
        if self.reacting:
            return "the emoji", REACTING_HINTS
        if self.about_people:
            return "to tell who it is", PEOPLE_HINTS
        return "the app" if self.probing else "the message", HINTS


class RefusedError(Exception):
    """Slack's own word for why it did not post, beside what that means for the delivery."""

    def __init__(self, word: str, failure: DeliveryFailure) -> None:
        """Keep both: another wording of the message may still be accepted."""
        super().__init__(word)
        self.word = word
        self.failure = failure


def sorted_refusal(word: str, answer: Answer, wish: Wish, retry_after: float | None = None) -> DeliveryFailure:
    """Return what a refusal means for the delivery, and whether it is the target that is refused."""
    status, excerpt = answer.status or None, answer.excerpt
    reason = _sentence(word, wish)
    if word in LATER:
        throttled = word in TOO_FAST
        return TransientFailure(reason, status=status, excerpt=excerpt, retry_after=retry_after, throttled=throttled)
    if wish.about_people and word in NO_SCOPE:
        return PermanentFailure(reason, status=status, excerpt=excerpt)
    if word in NO_ACCESS or (wish.own_channel and (word in NO_CHANNEL or answer.status in NOT_US)):
        return AccessRefused(reason, status=status, excerpt=excerpt)
    if word in PERHAPS_POSTED or (wish.reading and word not in NO_CHANNEL):
        return UnknownOutcome(reason, status=status, excerpt=excerpt)
    return PermanentFailure(reason, status=status, excerpt=excerpt)


def _sentence(word: str, wish: Wish) -> str:
    refused, hints = wish.words
    hint = hints.get(word) or HINTS.get(word)
    return f"Slack refused {refused}: {word}" + (f" ({hint})" if hint else "")


def remedy(word: str, payload: JsonObject) -> JsonObject | None:
    """Return the message that Slack may accept after this refusal, if there is one."""
    if word in NO_THREAD and "thread_ts" in payload:
        return _without(payload, {"thread_ts"})
    if word in NO_EDIT | {"message_not_found"} and "ts" in payload:
        return _without(payload, {"ts"})
    if word in NO_BLOCKS and "blocks" in payload:
        return _without(payload, {"blocks"})
    if word in NO_METADATA and "metadata" in payload:
        return _without(payload, {"metadata"})
    return None


def _without(payload: JsonObject, names: Iterable[str]) -> JsonObject:
    return {name: value for name, value in payload.items() if name not in names}
