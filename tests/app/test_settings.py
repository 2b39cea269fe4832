"""Settings: every one has an effect, a page, and an error that helps without telling a secret."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.app.settings import COMPOSE_OWN, PREFIX, Settings, load_settings, strange_variables
from bridge.errors import SettingsError
from bridge.options.quantity import written

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/settings.md"
SHOWN = {"body_limit": "1MiB", "disk_reserve": "64MiB"}
"""How the page writes a default that is a size."""


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)


def load(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def refusal(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, **variables)
    return str(caught.value)


def test_nothing_needs_to_be_set() -> None:
    settings = load_settings()
    assert settings.routes == Path("routes.yaml")
    assert settings.listen == "127.0.0.1:8080"
    assert settings.body_limit == 1048576


def test_a_variable_sets_and_a_flag_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, BRIDGE_DATA="/srv/bridge").data == Path("/srv/bridge")
    assert load_settings(data=Path("/other")).data == Path("/other")


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, BRIDGE_LISTEN="", BRIDGE_TLS_CERT="").listen == "127.0.0.1:8080"


@pytest.mark.parametrize(
    ("text", "size"), [("4096", 4096), ("4096b", 4096), ("512KiB", 524288), ("2 mib", 2097152), ("64MiB", 67108864)]
)
def test_a_size_is_bytes_or_has_a_unit(monkeypatch: pytest.MonkeyPatch, text: str, size: int) -> None:
    assert load(monkeypatch, BRIDGE_BODY_LIMIT=text).body_limit == size


@pytest.mark.parametrize("text", ["1MB", "lots", "-1", "1.5MiB", "1023", "65MiB", "1e6"])
def test_no_other_size_is_taken(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert refusal(monkeypatch, BRIDGE_BODY_LIMIT=text).startswith("BRIDGE_BODY_LIMIT: ")


@pytest.mark.parametrize(("text", "size"), [("1MiB", 2**20), ("20 GiB", 20 * 2**30), ("2tib", 2 * 2**40)])
def test_a_limit_of_the_store_may_be_large(monkeypatch: pytest.MonkeyPatch, text: str, size: int) -> None:
    settings = load(monkeypatch, BRIDGE_STORE_LIMIT=text, BRIDGE_DISK_RESERVE=text)
    assert (settings.store_limit, settings.disk_reserve) == (size, size)


@pytest.mark.parametrize("name", ["BRIDGE_STORE_LIMIT", "BRIDGE_DISK_RESERVE"])
@pytest.mark.parametrize("text", ["1GB", "0", "1000", "-1", "9" * 40])
def test_a_limit_of_the_store_is_a_mebibyte_at_least(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    assert refusal(monkeypatch, **{name: text}).startswith(f"{name}: ")


def test_what_is_kept_is_kept_for_a_time_with_a_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, BRIDGE_KEEP_EVENTS="90d", BRIDGE_KEEP_BODIES="36h")
    assert (settings.keep_events, settings.keep_bodies) == (timedelta(days=90), timedelta(hours=36))


@pytest.mark.parametrize("text", ["0d", "99999d"])
def test_a_time_has_bounds(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    told = refusal(monkeypatch, BRIDGE_KEEP_EVENTS=text)
    assert told == "BRIDGE_KEEP_EVENTS: must be a time from 1ms to 3660d"


@pytest.mark.parametrize("text", ["30", "a month", "-1d"])
def test_no_other_time_is_taken(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    told = refusal(monkeypatch, BRIDGE_KEEP_EVENTS=text)
    assert told == 'BRIDGE_KEEP_EVENTS: write a duration such as "30s", "15m", "2h" or "1d"'


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5"])
@pytest.mark.parametrize("name", ["BRIDGE_BACKLOG_LIMIT", "BRIDGE_BACKLOG_ALARM"])
def test_a_limit_of_the_backlog_is_a_number(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    assert refusal(monkeypatch, **{name: text}).startswith(f"{name}: ")


@pytest.mark.parametrize("address", [":8080", "0.0.0.0:80", "[::1]:8080", "[::]:0", "localhost:65535", "my-host.a:1"])
def test_an_address_is_a_host_and_a_port(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    assert load(monkeypatch, BRIDGE_LISTEN=address, BRIDGE_ADMIN_LISTEN=address).listen == address


@pytest.mark.parametrize(
    "address", ["8080", "localhost", "::1:8080", "unix:/run/b.sock", "http://h:80", "h:65536", "h:", "h:-1", "h:80/"]
)
def test_nothing_else_is(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    told = refusal(monkeypatch, BRIDGE_ADMIN_LISTEN=address)
    assert told == 'BRIDGE_ADMIN_LISTEN: write an address as host:port, like "127.0.0.1:8080" or "[::1]:8080"'


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://b.example", "https://b.example"),
        ("https://b.example/", "https://b.example"),
        ("http://b:8080/in/", "http://b:8080/in"),
    ],
)
def test_a_public_url_goes_before_hooks(monkeypatch: pytest.MonkeyPatch, url: str, kept: str) -> None:
    assert load(monkeypatch, BRIDGE_PUBLIC_URL=url).public_url == kept


@pytest.mark.parametrize("url", ["b.example", "ftp://b", "https://", "https://b?x=1", "https://u:pw@b", "https://a b"])
def test_a_public_url_is_a_whole_address_and_nothing_more(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert refusal(monkeypatch, BRIDGE_PUBLIC_URL=url).startswith("BRIDGE_PUBLIC_URL: write the address as ")


def test_every_error_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told = refusal(monkeypatch, BRIDGE_LOG_LEVEL="loud", BRIDGE_BODY_TIMEOUT="soon", BRIDGE_DRAIN_SECONDS="nan")
    assert [line.partition(":")[0] for line in told.splitlines()] == [
        "BRIDGE_LOG_LEVEL",
        "BRIDGE_BODY_TIMEOUT",
        "BRIDGE_DRAIN_SECONDS",
    ]


def test_an_error_never_repeats_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "xoxb-pasted-into-the-wrong-variable"
    for name in Settings.model_fields.keys() - {"routes", "data", "tls_cert", "tls_key"}:
        assert secret not in refusal(monkeypatch, **{PREFIX + name.upper(): secret})


@pytest.mark.parametrize("half", ["BRIDGE_TLS_CERT", "BRIDGE_TLS_KEY"])
def test_a_certificate_needs_its_key(monkeypatch: pytest.MonkeyPatch, half: str) -> None:
    assert refusal(monkeypatch, **{half: "cert.pem"}) == "BRIDGE_TLS_CERT and BRIDGE_TLS_KEY go together"


# strange variables


def test_a_misspelt_variable_is_noticed(tmp_path: Path) -> None:
    environ = {"BRIDGE_LISTNE": ":80", "BRIDGE_LISTEN": ":80", "PATH": "/bin", "BRIDGES": "two"}
    assert strange_variables(environ, tmp_path / "routes.yaml") == [
        "BRIDGE_LISTNE is no setting; did you mean BRIDGE_LISTEN?"
    ]


def test_a_variable_that_the_rules_name_is_not_strange(tmp_path: Path) -> None:
    rules = tmp_path / "routes.yaml"
    rules.write_text('sources: {crm: {secrets: ["${BRIDGE_CRM_SECRET}", "${BRIDGE_OLD:-x}"]}}')
    environ = {"BRIDGE_CRM_SECRET": "s", "BRIDGE_OLD": "o", "BRIDGE_ZZZZZZZZ": "z"}
    assert strange_variables(environ, rules) == ["BRIDGE_ZZZZZZZZ is no setting, and routes.yaml does not refer to it"]


def test_nor_one_that_an_included_file_names(tmp_path: Path) -> None:
    rules = tmp_path / "routes.yaml"
    rules.write_text("include: [a.yaml, gone.yaml]")
    (tmp_path / "a.yaml").write_text('sources: {crm: {secrets: ["${BRIDGE_CRM_SECRET}"]}}')
    assert strange_variables({"BRIDGE_CRM_SECRET": "s"}, rules) == []


def test_a_variable_that_only_a_comment_names_is_strange(tmp_path: Path) -> None:
    rules = tmp_path / "routes.yaml"
    rules.write_text('sources:\n  crm: {type: rdstation_crm} # secrets: ["${BRIDGE_CRM_SECRET}"]\n')
    told = ["BRIDGE_CRM_SECRET is no setting, and routes.yaml does not refer to it"]
    assert strange_variables({"BRIDGE_CRM_SECRET": "s"}, rules) == told


def test_in_what_is_no_yaml_every_mention_counts(tmp_path: Path) -> None:
    rules = tmp_path / "routes.yaml"
    rules.write_text('sources: {crm: {secrets: ["${BRIDGE_CRM_SECRET}"')
    assert strange_variables({"BRIDGE_CRM_SECRET": "s"}, rules) == []


def test_the_variable_of_the_compose_file_is_not_strange(tmp_path: Path) -> None:
    assert strange_variables({"BRIDGE_DOMAIN": "bridge.example.com"}, tmp_path / "routes.yaml") == []
    compose = (ROOT / "compose.yaml").read_text("utf-8")
    assert COMPOSE_OWN - set(re.findall(r"BRIDGE_\w+", compose)) == set()


# the page


def test_the_page_names_every_setting_with_its_default() -> None:
    rows = re.findall(r"^\| `(BRIDGE_\w+)` \| (\S+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    documented = {name: None if default == "unset" else default.strip("`") for name, default in rows}
    assert documented == {PREFIX + name.upper(): _default(name) for name in Settings.model_fields}


def _default(name: str) -> str | None:
    value = Settings.model_fields[name].default
    if isinstance(value, timedelta):
        return written(value)
    return SHOWN.get(name) or (None if value is None else str(value))
