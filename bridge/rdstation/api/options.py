"""How the API of RD Station CRM is reached: by the token of a person (v1), or as an application by OAuth2 (v2)."""

from datetime import timedelta
from typing import Annotated, Final, Literal, NamedTuple, Self, TypeAlias

from pydantic import AfterValidator, Field, model_validator
from yarl import URL

from bridge.component.base import Strict
from bridge.options import Secret
from bridge.options.quantity import Duration

V1_ORIGIN: Final = "https://crm.rdstation.com"
V2_ORIGIN: Final = "https://api.rd.services"
ACCOUNTS_ORIGIN: Final = "https://accounts.rdstation.com"


def _origin(text: str) -> str:
    url = URL(text)
    if url.scheme not in {"http", "https"} or not url.raw_host or url.path not in {"", "/"} or url.query_string:
        raise ValueError('write an address without a path, such as "http://127.0.0.1:8090"')
    return str(url.origin())


Origin: TypeAlias = Annotated[str, AfterValidator(_origin)]


class Credentials(NamedTuple):
    """What opens the API of which host."""

    origin: str
    token: Secret | None
    client_id: str | None
    client_secret: Secret | None


class ApiOptions(Strict):
    """Access to the CRM's own API, for names that webhooks leave out, for registering webhooks and closing gaps.

    Either the `token` of a person (API v1), or `client_id` and `client_secret` of an application (API v2).
    """

    token: Secret | None = None
    """The API token of a person who sees all deals; in the CRM it stands in their profile."""
    client_id: str | None = Field(default=None, min_length=1)
    """The id of an application of yours; then `bridge crm login` connects it with the account, once."""
    client_secret: Secret | None = None
    """The secret of the application."""
    wait: Duration = Field(default=timedelta(seconds=10), ge=timedelta(seconds=1), le=timedelta(minutes=1))
    """How long a message waits at most for a name that has to be asked for; then it goes without."""
    subscribe: Literal["auto", "by_hand"] = "by_hand"
    """Whether bridge registers the webhooks itself, at its start and when other rules need others: `auto`."""
    repair: Literal["auto", "by_hand"] = "auto"
    """Whether bridge looks at its start for what was missed while it did not run: `auto`."""
    url: Origin | None = None
    """Another host that answers like the CRM, such as `bridge simulate`."""

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        application = (self.client_id is not None, self.client_secret is not None)
        if any(application) and not all(application):
            raise ValueError("client_id and client_secret go together")
        if (self.token is not None) == all(application):
            raise ValueError("give either `token`, or `client_id` and `client_secret`")
        return self

    @property
    def v2(self) -> bool:
        """Tell whether API v2 is meant."""
        return self.token is None

    @property
    def credentials(self) -> Credentials:
        """Return what opens the API, and where: with the same, the same limits and tokens hold."""
        return Credentials(self.origin, self.token, self.client_id, self.client_secret)

    @property
    def origin(self) -> str:
        """Return the host of the API."""
        return self.url or (V2_ORIGIN if self.v2 else V1_ORIGIN)

    @property
    def accounts(self) -> str:
        """Return the host at which a person allows an application access."""
        return self.url or ACCOUNTS_ORIGIN
