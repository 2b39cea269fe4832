"""One attempt, whatever happens in it: every ending is an outcome, and none of them holds a secret."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bridge import telemetry
from bridge.component import AnyTarget, Http, Links
from bridge.delivery.retry import outcome_of
from bridge.errors import DeliveryFailure, PermanentFailure, StoreError, TransientFailure, UnknownOutcome, legible
from bridge.model import Delivery, Link, Message, Outcome, Receipt

GRACE = 5.0
"""Seconds beyond its own timeout after which a target that does not return is broken off."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended: with a receipt, or with a failure."""

    receipt: Receipt | None = None
    failure: DeliveryFailure | None = None

    @property
    def outcome(self) -> Outcome:
        """Return the outcome to record."""
        return outcome_of(self.failure) if self.failure else Outcome.DELIVERED

    @property
    def status(self) -> int | None:
        """Return the service's status code, where there was an answer."""
        ending = self.failure or self.receipt
        return ending.status if ending else None

    @property
    def reason(self) -> str | None:
        """Return why it was not delivered."""
        return self.failure.reason if self.failure else None

    @property
    def excerpt(self) -> str:
        """Return the beginning of the service's answer."""
        ending = self.failure or self.receipt
        return ending.excerpt if ending else ""

    @property
    def links(self) -> tuple[Link, ...]:
        """Return the external objects that were made."""
        return self.receipt.links if self.receipt else ()


async def look_up_once(target: AnyTarget, delivery: Delivery, links: Links, http: Http) -> Ending | None:
    """Ask a service whether an earlier attempt arrived; None if it did not, and the message is to be sent.

    A failure to find out is a failure of the attempt: to send without knowing could double the message.
    """

    async def ask() -> Receipt | None:
        return await target.look_up(delivery.message, delivery.created_at, links, http)

    return await _ended(target, delivery.message, ask)


async def attempt_once(target: AnyTarget, message: Message, links: Links, http: Http) -> Ending:
    """Send a message once and return how it ended; raises nothing but cancellation."""
    ending = await _ended(target, message, lambda: target.send(message, links, http))
    return ending or Ending(failure=PermanentFailure(f"defect in target {target.name!r}: it gave no receipt"))


async def _ended(target: AnyTarget, message: Message, call: Callable[[], Awaitable[Receipt | None]]) -> Ending | None:
    try:
        async with asyncio.timeout(target.options.timeout + GRACE):
            receipt = await call()
    except DeliveryFailure as failure:
        return Ending(failure=_silenced(failure, target))
    except TimeoutError:
        return Ending(failure=UnknownOutcome(f"no answer within {target.options.timeout:g} s"))
    except StoreError as error:
        telemetry.store_unavailable(error)
        return Ending(failure=TransientFailure("the store could not be read, and nothing was sent"))
    except Exception as error:  # noqa: BLE001 (a defect in a target is its delivery's dead letter, not the daemon's end)
        telemetry.target_failed(target.name, message.delivery_id, error)
        return Ending(failure=PermanentFailure(f"defect in target {target.name!r}: {type(error).__name__}"))
    if receipt is None:
        return None
    excerpt = _kept(receipt.excerpt, target)
    return Ending(receipt if excerpt == receipt.excerpt else replace(receipt, excerpt=excerpt))


def _silenced(failure: DeliveryFailure, target: AnyTarget) -> DeliveryFailure:
    """Blot out the target's own secrets, should the service have echoed one, and let go of what is behind a failure.

    That may hold the service's own words.
    """
    failure.reason = _kept(failure.reason, target)
    failure.excerpt = _kept(failure.excerpt, target)
    failure.args = (failure.reason,)
    failure.__cause__ = failure.__context__ = None
    return failure


def _kept(text: str, target: AnyTarget) -> str:
    """Return a text as it is kept: cut only when no half of a secret can be left by it."""
    return legible(target.redactor.redacted(text))
