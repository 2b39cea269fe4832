"""The http target: one request for one message."""

import json
import re
from dataclasses import dataclass
from urllib.parse import urlencode

from multidict import CIMultiDict

from bridge.component import Http, Links, Request, Target, UnlessWhole
from bridge.component.guard import EVERYWHERE, Network
from bridge.component.http import json_body
from bridge.errors import AccessRefused, PermanentFailure
from bridge.model import Json, JsonObject, Message, Receipt
from bridge.targets.http.address import (
    encoded,
    joined,
    literal_origin,
    origin,
    pairs,
)
from bridge.targets.http.options import CONTENT, HttpAction, HttpOptions

CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
PIECED = re.compile(r"\{\{.*?\}\}.")
"""An address that begins with an expression and goes on behind it: data can hardly be the beginning that it wants."""
CARRY = frozenset({"POST", "PUT", "PATCH"})
"""Methods that carry a body by nature."""


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
    escapes = {"path": encoded, "url": UnlessWhole(encoded), "headers": lambda data: CONTROLS.sub(" ", data)}  # noqa: RUF012 (a ClassVar of the base)

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

    @classmethod
    def prepare(cls, content: JsonObject) -> JsonObject:
        """Note whether the host of ``url`` is written out: after rendering nobody could tell."""
        url = content.get("url")
        return {**content, "host_in_rules": literal_origin(url) is not None} if isinstance(url, str) else content

    async def send(self, message: Message, links: Links, http: Http) -> Receipt:
        """Send one request; any 2xx is a delivery."""
        try:
            answer = await http.deliver(self._request(message))
        except AccessRefused as refused:
            if self._destination(self.action(message)).own:
                raise
            failure = PermanentFailure(refused.reason, status=refused.status, excerpt=refused.excerpt)
            raise failure from None  # said by another host, or without the credentials: it is not the target's fault
        return Receipt(answer.status, answer.excerpt)

    async def probe(self, http: Http) -> str | None:
        """Ask for the path that the options name, with the target's credentials; without one nothing is asked."""
        if self.options.probe is None:
            return None
        address = joined(str(self._origin), self.options.probe, self._query_at_home)
        request = Request("GET", address, dict(self._headers_at_home), timeout=self.options.timeout)
        answer = await http.deliver(request)
        return f"answers {answer.status} to GET {self.options.probe}"

    def upserts(self, content: JsonObject) -> bool:
        """Tell whether an action is a PUT, which replaces what was there."""
        return (content.get("method") or self.options.method) == "PUT"

    def preview(self, content: JsonObject) -> str:
        """Return the request as text: the target's own path and query are left out, for they may hold secrets."""
        method = content.get("method") or self.options.method
        where = content.get("url") or f"{self._origin}{_below(content.get('path'))}"
        return f"{method} {where}\n\n{_shown(content)}".rstrip()

    def warnings(self, content: JsonObject) -> tuple[str, ...]:
        """Return a sentence for a request without a body, for credentials that stay behind, for a pieced address."""
        method = content.get("method") or self.options.method
        found = []
        if method in CARRY and not any(name in content for name in CONTENT):
            found.append(f'a {method} request without "body", "text" or "form" carries nothing')
        if self.options.auth and not self._is_own(content.get("url")):
            found.append("the target's credentials are sent to its own host only, so not to this url")
        if PIECED.match(str(content.get("url"))):
            found.append('data in "url" is percent-encoded, unless one {{ expression }} is all of it')
        return tuple(found)

    def _request(self, message: Message) -> Request:
        action = self.action(message)
        destination = self._destination(action)
        kind, body = _content(action) or (None, None)
        return Request(
            method=action.method or self.options.method,
            url=destination.address,
            headers=self._headers(action, message, kind, own=destination.own),
            body=body,
            timeout=self.options.timeout,
            trusted=destination.trusted,
            allowed=self._allowed(),
        )

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


def _content(action: HttpAction) -> tuple[str, bytes] | None:
    """Return the content with its type, if the entry has any; a body may well be null."""
    if action.form is not None:
        return "application/x-www-form-urlencoded", urlencode(pairs(action.form)).encode()
    if action.text is not None:
        return "text/plain; charset=utf-8", action.text.encode()
    return ("application/json", json_body(action.body)) if "body" in action.model_fields_set else None


def _below(path: Json) -> str:
    return f"/…/{str(path).lstrip('/')}" if path else "/…"


def _shown(content: JsonObject) -> str:
    if "body" in content:
        return json.dumps(content["body"], indent=2, ensure_ascii=False)
    form = content.get("form")
    if isinstance(form, dict):
        return "\n".join(f"{name}={value}" for name, value in form.items())
    return str(content.get("text") or "")
