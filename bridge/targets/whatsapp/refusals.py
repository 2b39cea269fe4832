"""WhatsApp's refusals: what each number means for a delivery.

https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
"""

from typing import Final

from bridge.component.reading import object_in
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import JsonObject

WINDOW_CLOSED: Final = 131047
TOO_FAST: Final = frozenset({4, 80007, 130429, 131048, 131056})
"""Too many messages of the app, the account, the number, or to one person."""
LATER: Final = frozenset({1, 2, 131000, 131016, 131057, 133004})
"""Not accepted, and worth another attempt."""
PAIR: Final = 131056
PAIR_WAIT: Final = 6.0
"""Seconds between two messages to one person."""
NO_ACCESS: Final = frozenset({0, 3, 10, 33, 190, 368, 131005, 131031, 131042, 131045, 133010, *range(200, 300)})
"""No message will be accepted until a person has seen to the token, the number or the account."""
HINTS: Final = {
    0: "the token is wrong; make a new one for the system user",
    10: "give the system user the permission whatsapp_business_messaging",
    33: "the phone number was deleted, or its id is wrong",
    100: "check the template, its values and the id of the phone number",
    190: "the token has expired or was revoked; make a new one for the system user",
    368: "the account is blocked for a breach of WhatsApp's rules",
    131008: "a value is missing",
    131009: "a value is wrong",
    131021: "the number would write to itself",
    131026: "the number has no WhatsApp, or has not accepted its terms",
    131031: "the account is locked",
    131042: "see to the payment of the account",
    131045: "register the phone number",
    131047: "the recipient has not written for 24 hours; only a template reaches them",
    131049: "WhatsApp spares the recipient for now, so that they get no more advertisement",
    131051: "WhatsApp knows no message of this type",
    132000: "the template wants another count of parameters",
    132001: "there is no such template in this language, or it is not approved yet",
    132005: "the text with its values is too long",
    132007: "the template breaks WhatsApp's rules",
    132012: "a value has another form than the template wants",
    132015: "the template is paused, for too many have complained",
    132016: "the template was switched off for good",
    133010: "register the phone number",
}
"""What a person can do about it."""


def code_of(failure: DeliveryFailure) -> int | None:
    """Return WhatsApp's number for a refusal, if it told one."""
    code = _told(failure).get("code")
    return code if isinstance(code, int) else None


def sorted_refusal(failure: DeliveryFailure) -> DeliveryFailure:
    """Return what a refusal means, by its number; the status tells little, for most have 400."""
    code = code_of(failure)
    if code is None or isinstance(failure, UnknownOutcome):
        return failure
    reason, status, excerpt = _sentence(code, _told(failure)), failure.status, failure.excerpt
    if code in TOO_FAST or code in LATER:
        wait = failure.retry_after if isinstance(failure, TransientFailure) else None
        wait = PAIR_WAIT if code == PAIR and wait is None else wait
        return TransientFailure(reason, status=status, excerpt=excerpt, retry_after=wait, throttled=code in TOO_FAST)
    if isinstance(failure, TransientFailure):
        return failure
    kind = AccessRefused if code in NO_ACCESS or isinstance(failure, AccessRefused) else PermanentFailure
    return kind(reason, status=status, excerpt=excerpt)


def _sentence(code: int, told: JsonObject) -> str:
    data = told.get("error_data")
    details = data.get("details") if isinstance(data, dict) else None
    said = HINTS.get(code) or details or told.get("message")
    return f"WhatsApp refused the message: {code}" + (f" ({said})" if said else "")


def _told(failure: DeliveryFailure) -> JsonObject:
    error = object_in(failure.excerpt.encode()).get("error")
    return error if isinstance(error, dict) else {}
