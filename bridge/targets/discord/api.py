"""Discord over HTTP: one request, its reply, and what a refusal means.

https://docs.discord.com/developers/topics/rate-limits: an answer tells how many requests are left and until when. A
machine that keeps asking after 401, 403 or 429 is shut out, so nothing leaves that is known to be refused.
"""

from collections.abc import Mapping
from http import HTTPStatus
from time import monotonic
from typing import Final

from yarl import URL

from bridge.component import Answer, Http, Request
from bridge.component.http import LONGEST_WAIT, json_body
from bridge.component.reading import object_in
from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import JsonObject
from bridge.targets.discord.options import DiscordOptions

UNKNOWN_MESSAGE: Final = 10008
NO_WEBHOOK: Final = frozenset({10003, 10015, 50027})
"""Unknown channel, unknown webhook, invalid webhook token: no other message would fare better."""
NO_EMBEDS: Final = frozenset({50006, 50035})
"""An empty message, an invalid form: where there are embeds, it is they that are not to Discord's liking."""
HINTS: Final = {
    10003: "the channel was deleted",
    10015: "the webhook was deleted; make a new one",
    50027: "the address of the webhook is wrong; copy it anew",
    50006: "the message came out empty",
    40333: "Discord's firewall has shut this machine out",
}


class RefusedError(Exception):
    """Discord's own number for why it did not do it, beside what that means for the delivery."""

    def __init__(self, code: int, failure: DeliveryFailure) -> None:
        """Keep both: another wording of the message may still be accepted."""
        super().__init__(code)
        self.code = code
        self.failure = failure


class Api:
    """The API of one webhook."""

    def __init__(self, options: DiscordOptions) -> None:
        """Take the options; nothing is asked yet."""
        self._options = options
        self._free_at = 0.0

    async def post(self, message: JsonObject, http: Http) -> Answer:
        """Post a message and wait until it is there. Raises as ``call``."""
        return await self.call("POST", self._options.webhook.address.update_query(wait="true"), message, http)

    async def edit(self, id_: str, message: JsonObject, http: Http) -> Answer:
        """Put a message in the place of an earlier one. Raises as ``call``."""
        address = self._options.webhook.address
        return await self.call("PATCH", (address / "messages" / id_).with_query(address.query), message, http)

    async def about(self, http: Http) -> JsonObject:
        """Return what Discord tells of the webhook, with its token. Raises as ``call``."""
        address = self._options.webhook.address.with_query(None)
        return reply_of(await self.call("GET", address, None, http))

    async def call(self, method: str, url: URL, message: JsonObject | None, http: Http) -> Answer:
        """Send a request and return the answer that accepts it.

        Raises:
            RefusedError: Discord said why it did not do it.
            DeliveryFailure: as ``Http.deliver``; also where it is known that Discord would refuse it just now.
        """
        wait = self._free_at - monotonic()
        if wait > 0:
            raise TransientFailure("Discord takes no more messages just now", retry_after=wait, throttled=True)
        body = None if message is None else json_body(message)
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            answer = await http.deliver(Request(method, str(url), headers, body, timeout=self._options.timeout))
        except DeliveryFailure as error:
            failure = error
        else:
            self._note(answer.headers)
            return _read(answer)
        raise _sorted(failure)

    def _note(self, headers: Mapping[str, str]) -> None:
        """Note until when nothing more is taken, if the answer says so."""
        if headers.get("x-ratelimit-remaining") == "0":
            self._free_at = monotonic() + _seconds(headers.get("x-ratelimit-reset-after"))


def reply_of(answer: Answer) -> JsonObject:
    """Return what an answer says."""
    return object_in(answer.body)


def _read(answer: Answer) -> Answer:
    if not isinstance(reply_of(answer).get("id"), str):
        raise UnknownOutcome("the answer is not one of Discord's", status=answer.status, excerpt=answer.excerpt)
    return answer


def _sorted(failure: DeliveryFailure) -> DeliveryFailure | RefusedError:
    """Return what a refusal means: Discord tells the wait in its body more exactly, and the reason by a number."""
    told = object_in(failure.excerpt.encode())
    code = told.get("code")
    if isinstance(failure, TransientFailure):
        wait = told.get("retry_after")
        if failure.status == HTTPStatus.TOO_MANY_REQUESTS and isinstance(wait, int | float):
            return _later(failure, float(wait))
        return failure
    if not isinstance(code, int) or not code or isinstance(failure, UnknownOutcome):
        return failure
    hint = HINTS.get(code)
    reason = f"Discord refused the message: {code} {told.get('message')}" + (f" ({hint})" if hint else "")
    access = isinstance(failure, AccessRefused) or code in NO_WEBHOOK
    kind = AccessRefused if access else PermanentFailure
    return RefusedError(code, kind(reason, status=failure.status, excerpt=failure.excerpt))


def _later(failure: TransientFailure, wait: float) -> TransientFailure:
    seconds = min(max(wait, 0.0), LONGEST_WAIT)
    return TransientFailure(
        failure.reason, status=failure.status, excerpt=failure.excerpt, retry_after=seconds, throttled=True
    )


def _seconds(text: str | None) -> float:
    try:
        return min(max(float(text or 0), 0.0), LONGEST_WAIT)
    except ValueError:
        return 0.0
