"""The http target: one request for one message."""

import re
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from multidict import CIMultiDict

from bridge.component import Answer, Http, Links, Request, Target, UnlessWhole
from bridge.component.guard import EVERYWHERE, Network
from bridge.component.http import BODY_LIMIT, json_body
from bridge.component.oauth import AccessTokens, Bearer, RefusedError
from bridge.errors import AccessRefused, PermanentFailure
from bridge.model import Json, JsonObject, Link, Message, Receipt
from bridge.options import Secret
from bridge.targets.http.address import (
    check_path,
    encoded,
    joined,
    literal_origin,
    origin,
)
from bridge.targets.http.answers import ROOM, Reading, ReadRequest
from bridge.targets.http.content import encoded_content, in_xml, one_line, shown
from bridge.targets.http.options import CONTENT, ID, HttpAction, HttpOptions

PIECED = re.compile(r"\{\{.*?\}\}.")
"""An address that begins with an expression and goes on behind it: data can hardly be the beginning that it wants."""
CARRY = frozenset({"POST", "PUT", "PATCH"})
"""Methods that carry a body by nature."""
GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
NOTHING_MADE: Final = "nothing was made for this key, so there is nothing to change"


@dataclass(frozen=True, slots=True)
class _Destination:
    """Where a request goes. ``own`` says that it is the target's own host: only there do its credentials go."""

    address: str
    trusted: bool
    own: bool


class HttpService(Target[HttpOptions, HttpAction]):
    """Sends requests to an HTTP service."""

    Options = HttpOptions
    Action = HttpAction
    over_http = True
    escapes = {  # noqa: RUF012 (a ClassVar of the base)
        "path": encoded,
        "update": encoded,
        "url": UnlessWhole(encoded),
        "headers": one_line,
        "xml": in_xml,
    }

    def __init__(self, name: str, options: HttpOptions) -> None:
        """Prepare what all requests have in common."""
        super().__init__(name, options)
        auth = options.auth
        self._origin = origin(options.url.reveal())
        self._headers_at_home = CIMultiDict({name: secret.reveal() for name, secret in options.headers.items()})
        self._headers_at_home.update(auth.headers if auth else {})
        self._query_at_home = {name: secret.reveal() for name, secret in options.query.items()}
        self._query_at_home.update(auth.query if auth else {})
        self._home = _Destination(joined(options.url.reveal(), "", self._query_at_home), trusted=True, own=True)
        self._tls = options.tls.context() if options.tls else None
        oauth2 = auth.oauth2 if auth else None
        self._bearer = Bearer(AccessTokens.of(oauth2, options.timeout, self._tls)) if oauth2 else None

    @property
    def token(self) -> Secret | None:
        """Return the access token that was used last."""
        return self._bearer.token if self._bearer else None

    @classmethod
    def filled_by(cls, file: str) -> str:
        """Return ``xml`` for a file that is named so, else ``text``."""
        return "xml" if ".xml" in file.lower() else cls.main_field

    @classmethod
    def prepare(cls, content: JsonObject, *, gathered: bool = False) -> JsonObject:  # noqa: ARG003 (it is one request)
        """Note whether the host of ``url`` is written out: after rendering nobody could tell."""
        url = content.get("url")
        return {**content, "host_in_rules": literal_origin(url) is not None} if isinstance(url, str) else content

    async def send(self, message: Message, links: Links, http: Http) -> Receipt:
        """Send one request, or two: what is gone at the service is made again."""
        action = self.action(message)
        link = await links.find(message.key) if self.link_key(message) else None
        if link is None and action.refers:
            return Receipt(None, NOTHING_MADE)
        if link and action.update:
            try:
                return await self._sent(message, action.updating, link, http)
            except (PermanentFailure, AccessRefused) as failure:
                if failure.status not in GONE or action.refers:
                    raise
            link = None
        return await self._sent(message, action, link, http)

    def link_key(self, message: Message) -> str | None:
        """Return the message's key if what is sent depends on what was noted of it."""
        content = message.content
        return message.key if content.get("update") or ID in str(content.get("path")) else None

    async def probe(self, http: Http) -> str | None:
        """Ask for the path that the options name, with the target's credentials; without one nothing is asked."""
        if self.options.probe is None:
            return None
        address = joined(str(self._origin), self.options.probe, self._query_at_home)
        headers = {**self._headers_at_home, **self._signature("probe", b"")}
        request = Request("GET", address, headers, timeout=self.options.timeout, tls=self._tls)
        answer = await self._delivered(http, request, own=True)
        return f"answers {answer.status} to GET {self.options.probe}"

    def accepted(self, request: Request, number: int) -> Answer:
        """Return an access token, or what the rules call a success."""
        if isinstance(request, ReadRequest):
            return request.reading.good_answer(number)
        return Answer(200, {}, json_body({"access_token": "of-a-test", "expires_in": 3600}))

    def upserts(self, content: JsonObject) -> bool:
        """Tell whether an action is a PUT, which replaces what was there.

        One that makes something first may not be left out: nobody would know what it has made.
        """
        return (content.get("method") or self.options.method) == "PUT" and not content.get("link")

    def preview(self, content: JsonObject) -> str:
        """Return the request as text: the target's own path and query are left out, for they may hold secrets."""
        method = content.get("method") or self.options.method
        where = content.get("url") or f"{self._origin}{_below(content.get('path'))}"
        update = content.get("update")
        later = (
            f"\n{update.get('method', 'PUT')} {self._origin}{_below(update['path'])}"
            if isinstance(update, dict)
            else ""
        )
        return f"{method} {where}{later}\n\n{shown(content)}".rstrip()

    def warnings(self, content: JsonObject) -> tuple[str, ...]:
        """Return a sentence for a request without a body, for credentials that stay behind, for a pieced address."""
        method = content.get("method") or self.options.method
        found = []
        if method in CARRY and not any(name in content for name in CONTENT):
            found.append(f'a {method} request without "body", "text", "xml" or "form" carries nothing')
        if content.get("update") and not content.get("link"):
            found.append(
                'nothing is noted of what it makes, so every message makes another: say where the id is, in "link"'
            )
        if self.options.auth and not self._is_own(content.get("url")):
            found.append("the target's credentials are sent to its own host only, so not to this url")
        if PIECED.match(str(content.get("url"))):
            found.append('data in "url" is percent-encoded, unless one {{ expression }} is all of it')
        return tuple(found)

    async def _sent(self, message: Message, action: HttpAction, link: Link | None, http: Http) -> Receipt:
        """Send one request, and read its answer."""
        destination = self._destination(_about(action, link))
        request = self._request(message, action, destination)
        try:
            answer = await self._delivered(http, request, own=destination.own)
        except AccessRefused as refused:
            if destination.own:
                raise
            failure = PermanentFailure(refused.reason, status=refused.status, excerpt=refused.excerpt)
            raise failure from None  # said by another host, or without the credentials: it is not the target's fault
        request.reading.check(answer)
        return Receipt(answer.status, answer.excerpt, self._noted(message.key, request.reading, answer, link))

    async def _delivered(self, http: Http, request: Request, *, own: bool) -> Answer:
        """Send a request, with an access token if it is to the target's own host and needs one."""
        if not (self._bearer and own):
            return await http.deliver(request)
        try:
            return await self._bearer.deliver(http, request)
        except RefusedError as refusal:
            raise refusal.failure from None

    def _noted(self, key: str, reading: Reading, answer: Answer, link: Link | None) -> tuple[Link, ...]:
        """Return what an answer tells of what was made; an update need not tell it again.

        Raises:
            PermanentFailure: something was made, and nothing tells what.
        """
        identity = reading.id_in(answer) or (link.external_id if link else "")
        if reading.noted is None or not (identity or answer.ok):
            return ()
        if not identity:
            reason = f'it was accepted, but the answer has no id at "{reading.noted.id}": correct `link` in the rules'
            raise PermanentFailure(reason, status=answer.status, excerpt=answer.excerpt)
        url = reading.url_in(answer)
        known = link.data if link else {}
        return (Link(self.name, key, identity, {**known, "url": url} if url else known),)

    def _request(self, message: Message, action: HttpAction, destination: _Destination) -> ReadRequest:
        kind, body = encoded_content(action) or (None, None)
        reading = Reading(self.options.success if action.success is None else action.success, action.link)
        headers = self._headers(action, message, kind, own=destination.own)
        return ReadRequest(
            method=action.method or self.options.method,
            url=destination.address,
            headers={**headers, **(self._signature(message.delivery_id, body or b"") if destination.own else {})},
            body=body,
            timeout=self.options.timeout,
            trusted=destination.trusted,
            allowed=self._allowed(),
            most=ROOM if reading.looks_inside else BODY_LIMIT,
            welcome=reading.welcome,
            tls=self._tls if destination.own else None,
            reading=reading,
        )

    def _signature(self, delivery_id: str, body: bytes) -> dict[str, str]:
        """Return the headers that sign a body, which go to the target's own host alone."""
        return self.options.sign.headers(delivery_id, body, int(time.time())) if self.options.sign else {}

    def _allowed(self) -> tuple[Network, ...]:
        """Return the internal networks that an address from data may be in."""
        allowed = self.options.allow_private
        return allowed if isinstance(allowed, tuple) else EVERYWHERE if allowed else ()

    def _destination(self, action: HttpAction) -> _Destination:
        if not (action.url or action.path or action.query):
            return self._home
        trusted = action.url is None or action.host_in_rules
        own = trusted and self._is_own(action.url)
        address = joined(action.url or self.options.url.reveal(), action.path, self._query_at_home if own else {})
        return _Destination(joined(address, "", action.query) if action.query else address, trusted, own)

    def _is_own(self, url: Json) -> bool:
        if url is None:
            return True
        return isinstance(url, str) and literal_origin(url) == self._origin

    def _headers(self, action: HttpAction, message: Message, kind: str | None, *, own: bool) -> dict[str, str]:
        """Join the headers, the more particular over the more general."""
        headers = CIMultiDict({"Content-Type": kind} if kind else {})
        if self.options.idempotency_header:
            headers[self.options.idempotency_header] = message.delivery_id
        if own:
            headers.update(self._headers_at_home)
        headers.update(action.headers)
        return dict(headers)


def _about(action: HttpAction, link: Link | None) -> HttpAction:
    """Return an action whose path has the id that was noted.

    Raises:
        PermanentFailure: no path can have it.
    """
    if link is None or not action.refers:
        return action
    path = action.path.replace(ID, encoded(link.external_id))
    try:
        check_path(path)
    except ValueError:
        reason = "the id that was noted cannot stand in a path"
    else:
        return action.model_copy(update={"path": path})
    raise PermanentFailure(reason)


def _below(path: Json) -> str:
    return f"/…/{str(path).lstrip('/')}" if path else "/…"
