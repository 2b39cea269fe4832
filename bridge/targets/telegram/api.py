"""The Bot API over HTTP: one request, its reply, and what a refusal means.

https://core.telegram.org/bots/api#making-requests. The token is part of the address, which therefore is never told.
"""

from http import HTTPStatus
from typing import Final

from bridge.component import Answer, Http, Request
from bridge.component.http import LONGEST_WAIT, json_body
from bridge.component.reading import object_in
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import JsonObject
from bridge.targets.telegram.options import TelegramOptions

NOT_MODIFIED: Final = "message is not modified"
NOT_PARSED: Final = "can't parse entities"
NO_EDIT: Final = ("message to edit not found", "message can't be edited", "message_id_invalid")
"""The message is gone, or too old: a new one takes its place."""
NO_CHAT: Final = (
    "chat not found",
    "bot was kicked",
    "bot was blocked",
    "bot is not a member",
    "not enough rights",
    "have no rights",
    "need administrator rights",
    "user is deactivated",
    "message thread not found",
    "topic_closed",
    "chat_write_forbidden",
)
"""No message will be taken in this chat: the target's own, or the one that the deliver entry names."""
HINTS: Final = {
    "chat not found": "check the id of the chat, and write to the bot or add it to the group first",
    "bot was kicked": "add the bot to the group again",
    "bot was blocked": "whoever it writes to has to unblock the bot",
    "bot is not a member": "make the bot an administrator of the channel",
    "need administrator rights": "make the bot an administrator of the channel",
    "not enough rights": "let the bot write in this chat",
    "have no rights": "let the bot write in this chat",
    "message thread not found": "check the id of the topic",
    "unauthorized": "the token is wrong or was revoked; ask @BotFather for it",
    "not found": "the token is wrong; ask @BotFather for it",
}
"""What a person can do about it."""


class RefusedError(Exception):
    """Telegram's own words for why it did not do it, in lower case, beside what that means for the delivery."""

    def __init__(self, words: str, told: JsonObject, failure: DeliveryFailure) -> None:
        """Keep all: another form of the message, or another chat, may still be accepted."""
        super().__init__(words)
        self.words = words
        self.failure = failure
        parameters = told.get("parameters")
        moved = parameters.get("migrate_to_chat_id") if isinstance(parameters, dict) else None
        self.moved_to = str(moved) if isinstance(moved, int) else None


async def call(options: TelegramOptions, method: str, body: JsonObject, http: Http, *, own: bool = True) -> Answer:
    """Call a method of the Bot API; ``own`` says that it is about the target's chat, and not one that an entry names.

    Raises:
        RefusedError: Telegram said why it did not do it.
        DeliveryFailure: as ``Http.deliver``.
    """
    url = f"{options.api_url}/bot{options.token.reveal()}/{method}"
    headers = {"Content-Type": "application/json"}
    try:
        answer = await http.deliver(Request("POST", url, headers, json_body(body), timeout=options.timeout))
    except DeliveryFailure as error:
        failure = error
    else:
        if object_in(answer.body).get("ok") is not True:
            raise UnknownOutcome("the answer is not one of Telegram's", status=answer.status, excerpt=answer.excerpt)
        return answer
    raise _sorted(failure, own=own)


def result_of(answer: Answer) -> JsonObject:
    """Return what an answer tells of: a message, a chat, a bot."""
    result = object_in(answer.body).get("result")
    return result if isinstance(result, dict) else {}


def _sorted(failure: DeliveryFailure, *, own: bool) -> DeliveryFailure | RefusedError:
    """Return what a refusal means, by its words."""
    told = object_in(failure.excerpt.encode())
    if isinstance(failure, UnknownOutcome) or told.get("ok") is not False:
        return failure
    if isinstance(failure, TransientFailure):
        return _later(failure, told)
    said = str(told.get("description"))
    words = said.lower()
    hint = next((hint for name, hint in HINTS.items() if name in words), None)
    reason = f"Telegram refused the message: {said}" + (f" ({hint})" if hint else "")
    kind = AccessRefused if _refuses_the_target(words, failure, own=own) else PermanentFailure
    return RefusedError(words, told, kind(reason, status=failure.status, excerpt=failure.excerpt))


def _refuses_the_target(words: str, failure: DeliveryFailure, *, own: bool) -> bool:
    """Tell whether no other message would fare better; a wrong token is told as not found."""
    if failure.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND}:
        return True
    about_chat = failure.status == HTTPStatus.FORBIDDEN or any(each in words for each in NO_CHAT)
    return own and about_chat


def _later(failure: TransientFailure, told: JsonObject) -> TransientFailure:
    """Return a refusal with the wait that its body asks for."""
    parameters = told.get("parameters")
    wait = parameters.get("retry_after") if isinstance(parameters, dict) else None
    if not isinstance(wait, int | float):
        return failure
    seconds = min(max(float(wait), 0.0), LONGEST_WAIT)
    return TransientFailure(
        failure.reason, status=failure.status, excerpt=failure.excerpt, retry_after=seconds, throttled=True
    )
