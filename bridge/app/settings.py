"""The settings of the process, from BRIDGE_* variables and the flags of ``bridge run``."""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bridge.config.including import RulesFiles
from bridge.errors import SettingsError
from bridge.files import open_file
from bridge.options import read_yaml, variables_in
from bridge.options.quantity import Duration
from bridge.options.suggestion import nearest
from bridge.options.yaml import MAX_BYTES

PREFIX = "BRIDGE_"
COMPOSE_OWN = frozenset({"BRIDGE_DOMAIN"})
"""What ``compose.yaml`` reads for itself, and its ``env_file`` hands on to the daemon."""
UNITS = {"": 1, "b": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
_SIZE = re.compile(r"(\d{1,15})\s*(b|kib|mib|gib|tib|)", re.IGNORECASE)
_ADDRESS = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^:\[\]/\s]*):(?P<port>\d{1,5})")
_URL = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")


def _size(value: object) -> object:
    """Read ``1MiB``, ``512KiB``, ``10GiB`` or a number of bytes."""
    if not isinstance(value, str):
        return value
    found = _SIZE.fullmatch(value.strip())
    if not found:
        raise ValueError('write a size as bytes, or like "512KiB" or "1MiB"')
    return int(found[1]) * UNITS[found[2].lower()]


def _address(value: str) -> str:
    """Refuse what is no ``host:port``; an empty host is every interface."""
    found = _ADDRESS.fullmatch(value)
    if not found or int(found["port"]) > 65535:  # noqa: PLR2004 (the largest port there is)
        raise ValueError('write an address as host:port, like "127.0.0.1:8080" or "[::1]:8080"')
    return value


def _url(value: str) -> str:
    """Refuse what cannot stand before ``/hooks``; a slash at its end is dropped."""
    if not _URL.fullmatch(value):
        raise ValueError('write the address as "https://bridge.example.com", with the path a proxy adds if it does')
    return value.rstrip("/")


Size: TypeAlias = Annotated[int, BeforeValidator(_size), Field(ge=1024, le=64 * 2**20)]
Space: TypeAlias = Annotated[int, BeforeValidator(_size), Field(ge=2**20)]
Address: TypeAlias = Annotated[str, AfterValidator(_address)]
Url: TypeAlias = Annotated[str, AfterValidator(_url)]
Seconds: TypeAlias = Annotated[float, Field(gt=0, le=600)]


class Settings(BaseSettings):
    """Every setting; each is documented in ``docs/reference/settings.md``."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    routes: Path = Path("routes.yaml")
    """The rules. Templates are read from the folder `templates` beside it."""
    data: Path = Path("data")
    """Where everything is kept that must not be lost."""
    listen: Address = "127.0.0.1:8080"
    """Where webhooks are taken. Port 0 takes any free one."""
    admin_listen: Address | None = None
    """Where `/readyz` and `/metrics` are served instead of beside the webhooks."""
    public_url: Url | None = None
    """The address under which the CRM reaches bridge, such as `https://bridge.example.com`; for those it prints."""
    log_level: Literal["info", "warning", "error"] = "info"
    """The least grave lines that are logged."""
    log_format: Literal["auto", "json", "console"] = "auto"
    """`json` writes one object a line, `console` lines for people; `auto` takes `console` on a terminal."""
    body_limit: Size = 2**20
    """The largest webhook, in bytes or like `1MiB`, as sent and when inflated."""
    body_timeout: Seconds = 10
    """Seconds a webhook's body may take to arrive."""
    header_timeout: Seconds = 10
    """Seconds a connection may take to send the head of a request, or stay open without one."""
    drain_seconds: Seconds = 20
    """Seconds that deliveries under way may take to end after SIGTERM."""
    keep_events: Duration = timedelta(days=30)
    """How long finished events are kept, with their deliveries and attempts."""
    keep_bodies: Duration = timedelta(days=7)
    """How long the bodies of finished events are kept."""
    backlog_limit: Annotated[int, Field(ge=1)] = 1_000_000
    """Events and deliveries that may wait before webhooks are answered 503."""
    backlog_alarm: Annotated[int, Field(ge=1)] = 1000
    """Events and deliveries that may wait before `bridge.backlog_growing` is told."""
    store_limit: Space | None = None
    """Bytes that the store may hold before webhooks are answered 503."""
    disk_reserve: Space = 64 * 2**20
    """Bytes of the disk that have to stay free: below, webhooks are answered 503."""
    tls_cert: Path | None = None
    """A certificate chain in PEM, to serve HTTPS without a proxy. Read again when it is renewed."""
    tls_key: Path | None = None
    """The certificate's private key in PEM."""

    @model_validator(mode="after")
    def _certificate_and_key(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("BRIDGE_TLS_CERT and BRIDGE_TLS_KEY go together")
        return self


def load_settings(**flags: object) -> Settings:
    """Return the settings of the environment, with those given as flags in their place.

    Raises:
        SettingsError: one of them cannot be used; names the variable, never its value.
    """
    try:
        return Settings(**flags)  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as error:
        raise SettingsError("\n".join(_sentence(each["loc"], each["msg"]) for each in error.errors())) from None


def strange_variables(environ: Mapping[str, str], rules: Path) -> list[str]:
    """Return a sentence for each BRIDGE_* variable that is no setting, and that neither the rules nor compose name."""
    settings = {PREFIX + name.upper() for name in Settings.model_fields}
    strange = {name for name in environ if name.startswith(PREFIX)} - settings - COMPOSE_OWN - _named_in(rules)
    return [_strange(name, rules) for name in sorted(strange)]


def _named_in(rules: Path) -> frozenset[str]:
    """Return the variables that rules refer to, in all of their files."""
    return frozenset[str]().union(*map(_named_in_file, RulesFiles(rules).found()))


def _named_in_file(path: Path) -> frozenset[str]:
    """Return the variables that a file refers to; a comment refers to none. Of what is no YAML, every word counts."""
    with suppress(OSError), open_file(path) as file:
        content = file.read(MAX_BYTES + 1)
        return variables_in(read_yaml(content, str(path)).data or content.decode("utf-8", "replace"))
    return frozenset()


def _strange(name: str, rules: Path) -> str:
    """Return what to say of a variable; the prefix, which all share, brings no name nearer to another."""
    near = nearest(name.removeprefix(PREFIX), Settings.model_fields)
    guess = f"; did you mean {PREFIX}{near.upper()}?" if near else f", and {rules.name} does not refer to it"
    return f"{name} is no setting{guess}"


def _sentence(loc: tuple[int | str, ...], message: str) -> str:
    name = f"{PREFIX}{str(loc[0]).upper()}: " if loc else ""
    return name + message.removeprefix("Value error, ")
