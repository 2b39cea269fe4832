"""OAuth2 as RD Station has it: a code for a consent, access tokens of two hours, refresh tokens that serve once."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from aiohttp import web
from yarl import URL

from bridge.model import JsonObject
from bridge.simulator.chance import Chance
from bridge.simulator.clock import VirtualClock
from bridge.simulator.gate import Refusal, answer
from bridge.simulator.settings import SimulatorSettings

ACCESS: Final = timedelta(hours=2)
REFRESH: Final = timedelta(days=14)
CODE: Final = timedelta(minutes=10)
MARKETING: Final = "marketing"
"""The id of an application that was made for RD Station Marketing: its tokens are none for the CRM."""


class _Grant(NamedTuple):
    client_id: str
    ends: datetime


class Grants:
    """The codes and tokens that are good just now."""

    def __init__(self, settings: SimulatorSettings, clock: VirtualClock) -> None:
        """Take the application that is known, and the clock by which tokens end."""
        self._settings = settings
        self._clock = clock
        self._chance = Chance(settings.seed, "oauth")
        self._codes: dict[str, _Grant] = {}
        self._refresh: dict[str, _Grant] = {}
        self._access: dict[str, _Grant] = {}

    def knows(self, client_id: str) -> bool:
        """Tell whether there is such an application."""
        return client_id in {self._settings.client_id, MARKETING}

    def consent(self, client_id: str) -> str:
        """Return a code for an application that somebody has allowed access."""
        code = self._chance.digits(32)
        self._codes[code] = _Grant(client_id, self._clock.now() + CODE)
        return code

    def redeem(self, client_id: str, code: str) -> JsonObject | None:
        """Return tokens for a code, once; None if it is none of this application's, or no longer one."""
        return self._tokens(client_id) if self._take(self._codes, client_id, code) else None

    def renew(self, client_id: str, token: str) -> JsonObject | None:
        """Return tokens for a refresh token, which is dead from then on; None if it was so already."""
        return self._tokens(client_id) if self._take(self._refresh, client_id, token) else None

    def admits(self, token: str) -> bool:
        """Tell whether an access token opens the CRM."""
        grant = self._access.get(token)
        return grant is not None and grant.client_id != MARKETING and grant.ends > self._clock.now()

    def proves(self, client_id: str, secret: str) -> bool:
        """Tell whether an application is who it says."""
        return self.knows(client_id) and secret == self._settings.client_secret

    def _take(self, holder: dict[str, _Grant], client_id: str, text: str) -> bool:
        grant = holder.get(text)
        if grant is None or grant.client_id != client_id:
            return False
        del holder[text]
        return grant.ends > self._clock.now()

    def _tokens(self, client_id: str) -> JsonObject:
        access = ".".join(self._chance.digits(count) for count in (20, 60, 43))
        refresh = self._chance.digits(43)
        self._access[access] = _Grant(client_id, self._clock.now() + ACCESS)
        self._refresh[refresh] = _Grant(client_id, self._clock.now() + REFRESH)
        return {
            "access_token": access,
            "expires_in": int(ACCESS.total_seconds()),
            "refresh_token": refresh,
            "token_type": "bearer",
        }


def routes(grants: Grants) -> list[web.RouteDef]:
    """Return the page of consent and the token endpoint."""

    async def authorize(request: web.Request) -> web.Response:
        """Consent at once: nobody is asked, the browser goes straight back with a code."""
        asked = request.query
        client_id, back = asked.get("client_id", ""), asked.get("redirect_uri", "")
        if not grants.knows(client_id) or not back:
            raise Refusal(400, _error("invalid_request", "unknown client_id, or no redirect_uri"))
        back_with = {"code": grants.consent(client_id)} | ({"state": asked["state"]} if "state" in asked else {})
        raise web.HTTPFound(URL(back).update_query(back_with))

    async def token(request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        client_id = form.get("client_id", "")
        if not grants.proves(client_id, form.get("client_secret", "")):
            raise Refusal(401, _error("invalid_client", "Client authentication failed"))
        if form.get("grant_type") == "authorization_code":
            tokens = grants.redeem(client_id, form.get("code", ""))
        elif form.get("grant_type") == "refresh_token":
            tokens = grants.renew(client_id, form.get("refresh_token", ""))
        else:
            raise Refusal(400, _error("unsupported_grant_type", "authorization_code or refresh_token"))
        if tokens is None:
            raise Refusal(400, _error("invalid_grant", "The code or refresh token is expired, used or unknown"))
        return answer(tokens)

    return [web.get("/oauth/authorize", authorize), web.post("/oauth2/token", token)]


def _error(code: str, description: str) -> JsonObject:
    return {"error": code, "error_description": description}
