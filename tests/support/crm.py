"""The simulated CRM, and a client that asks it as the real one's clients do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import aiohttp
from yarl import URL

from bridge.simulator import Simulator, SimulatorSettings, VirtualClock
from bridge.simulator.telling import Note

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
BACK = "http://127.0.0.1:1/callback"


def simulated(notes: list[Note] | None = None, **settings: Any) -> Simulator:
    """Return a CRM whose time stands still, with few deals, and no limit of requests unless one is asked for."""
    given = SimulatorSettings(**{"deals": 8, "requests_per_minute": 0, **settings})
    return Simulator(given, VirtualClock(START), (lambda _: None) if notes is None else notes.append)


@dataclass(frozen=True)
class Answer:
    """What came back; ``body`` is JSON, or the text where it is none."""

    status: int
    body: Any
    headers: Mapping[str, str]


class CrmClient:
    """Asks both APIs. ``token`` is for v1; v2 asks with the access token that ``login`` got."""

    def __init__(self, url: str, token: str = "simulated") -> None:
        self.url = url
        self.token = token
        self.access = ""
        self.refresh = ""

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def v1(self, path: str, method: str = "GET", body: Any = None, **query: Any) -> Answer:
        asked = {"token": self.token, **{name: str(value) for name, value in query.items()}}
        return await self.ask(method, f"/api/v1/{path}", params=asked, json=body)

    async def v2(
        self, path: str, method: str = "GET", body: Any = None, query: Mapping[str, Any] | None = None
    ) -> Answer:
        headers = {"Authorization": f"Bearer {self.access}"}
        asked = {name: str(value) for name, value in (query or {}).items()}
        sent = None if body is None else {"data": body}
        return await self.ask(method, f"/crm/v2/{path}", params=asked, json=sent, headers=headers)

    async def ask(self, method: str, path: str, **more: Any) -> Answer:
        async with self._session.request(method, self.url + path, allow_redirects=False, **more) as answer:
            json = answer.content_type == "application/json"
            return Answer(answer.status, await (answer.json() if json else answer.text()), answer.headers)

    async def code(self, client_id: str = "simulated", **more: str) -> str:
        """Consent, and return the code."""
        asked = {"client_id": client_id, "redirect_uri": BACK, "response_type": "code", **more}
        answer = await self.ask("GET", "/oauth/authorize", params=asked)
        assert answer.status == 302
        return URL(answer.headers["Location"]).query["code"]

    async def tokens(self, **form: str) -> Answer:
        """Ask the token endpoint."""
        sent = {"client_id": "simulated", "client_secret": "simulated", **form}
        return await self.ask("POST", "/oauth2/token", data=sent)

    async def login(self, client_id: str = "simulated") -> None:
        """Get tokens for a new consent."""
        code = await self.code(client_id)
        answer = await self.tokens(grant_type="authorization_code", code=code, client_id=client_id)
        assert answer.status == 200
        self.access, self.refresh = answer.body["access_token"], answer.body["refresh_token"]
