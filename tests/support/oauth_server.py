"""An OAuth 2.0 server on a real socket: oauthlib decides what it grants, as in a service that uses it."""

from base64 import b64decode
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import unquote_plus

from aiohttp import web
from oauthlib.oauth2 import BackendApplicationServer, RequestValidator  # type: ignore[import-untyped]

CLIENT: Final = "bridge & sons"
SECRET: Final = "hush:secret+/%ã"
SCOPES: Final = {"invoices.write", "invoices.read"}


class _Clients(RequestValidator):  # type: ignore[misc]  # oauthlib has no types
    """Knows one client, by either way of proving who it is."""

    def __init__(self) -> None:
        self.form_allowed = True
        self.given: list[str] = []

    def authenticate_client(self, request: Any, *_: Any, **__: Any) -> bool:
        known = self._by_header(request) or (self.form_allowed and self._by_form(request))
        request.client = type("Client", (), {"client_id": CLIENT}) if known else None
        return known

    def _by_header(self, request: Any) -> bool:
        scheme, _, pair = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Basic":
            return False
        name, _, secret = b64decode(pair).decode().partition(":")
        return (unquote_plus(name), unquote_plus(secret)) == (CLIENT, SECRET)

    def _by_form(self, request: Any) -> bool:
        return (request.client_id, request.client_secret) == (CLIENT, SECRET)

    def validate_grant_type(self, client_id: str, grant_type: str, *_: Any, **__: Any) -> bool:
        return grant_type == "client_credentials"

    def get_default_scopes(self, *_: Any, **__: Any) -> list[str]:
        return ["invoices.read"]

    def validate_scopes(self, client_id: str, scopes: list[str], *_: Any, **__: Any) -> bool:
        return set(scopes) <= SCOPES

    def save_bearer_token(self, token: dict[str, Any], *_: Any, **__: Any) -> None:
        self.given.append(token["access_token"])


@dataclass
class OAuthServer:
    """The server, with what it was asked."""

    lasts: int = 3600
    forms: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    async def __aenter__(self) -> Self:
        self.clients = _Clients()
        self._server = BackendApplicationServer(self.clients, token_expires_in=self.lasts)
        app = web.Application()
        app.router.add_post("/token", self._token)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/token"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    @property
    def given(self) -> list[str]:
        """Return the access tokens that it has given."""
        return self.clients.given

    async def _token(self, request: web.Request) -> web.Response:
        self.forms.append({name: str(value) for name, value in (await request.post()).items()})
        # oauthlib insists on https, which whoever runs it behind a proxy tells it
        headers, body, status = self._server.create_token_response(
            "https://behind.a.proxy/token", "POST", await request.text(), dict(request.headers)
        )
        return web.Response(text=body, status=status, headers=headers)
