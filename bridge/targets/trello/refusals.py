"""Trello's refusals: what its words, mostly plain text, mean for a delivery.

Its limits are documented (https://developer.atlassian.com/cloud/trello/guides/rest-api/rate-limits/): 100 requests in
10 seconds for a token, 300 for a key, and no word of how long to wait. Its words are not; these are those users meet.
"""

from typing import Final

import orjson

from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome

HINTS: Final = {
    "invalid key": "copy the API key anew from https://trello.com/power-ups/admin",
    "invalid token": "make a new token for the API key; the old one was revoked, or made for another key",
    "invalid app token": "make a new token for the API key; the old one was revoked, or made for another key",
    "expired token": "make a new token, one that never expires",
    "unauthorized permission requested": "make a token that may write, and let its account write to the board",
}
"""What a person can do about a refusal of the target."""
ONE_CARD: Final = "unauthorized card permission requested"
"""A refusal that is about one card: people have moved it to where the token may not follow."""


def told(failure: DeliveryFailure) -> DeliveryFailure:
    """Return a failure in the words of Trello, with what can be done about it."""
    word = _word(failure.excerpt)
    if not word or failure.status is None:
        return failure
    if isinstance(failure, TransientFailure):
        return TransientFailure(
            f"Trello says {failure.status}: {word}",
            status=failure.status,
            excerpt=failure.excerpt,
            retry_after=failure.retry_after,
            throttled=failure.throttled,
        )
    if word == ONE_CARD:
        reason = f"Trello refused the card: {word} (it is on a board that the token may not write to)"
        return PermanentFailure(reason, status=failure.status, excerpt=failure.excerpt)
    hint = HINTS.get(word)
    kind = AccessRefused if isinstance(failure, AccessRefused) else PermanentFailure
    reason = f"Trello refused with {failure.status}: {word}" + (f" ({hint})" if hint else "")
    return kind(reason, status=failure.status, excerpt=failure.excerpt)


def no_board(failure: PermanentFailure) -> AccessRefused:
    """Return the failure of a target whose board is not there: no message would fare better."""
    reason = "Trello has no such board, or the account of the token is no member of it"
    return AccessRefused(reason, status=failure.status, excerpt=failure.excerpt)


def perhaps_done(failure: TransientFailure) -> UnknownOutcome:
    """Return the failure of what must not be done twice: an error of Trello's own may come after the deed."""
    return UnknownOutcome(f"{failure.reason}; it may have been done", status=failure.status, excerpt=failure.excerpt)


def _word(excerpt: str) -> str:
    """Return what Trello says, as one line: the text as it is, or what JSON has for a message."""
    try:
        said = orjson.loads(excerpt)
    except orjson.JSONDecodeError:
        said = excerpt
    if isinstance(said, dict):
        said = said.get("message") or said.get("error")
    return " ".join(said.split()) if isinstance(said, str) else ""
