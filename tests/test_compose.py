"""The compose file: what it sets, what it mounts, and how long it waits, beside what the image and the daemon need."""

import re
import subprocess
from pathlib import Path

import pytest

from bridge.app.settings import Settings
from bridge.model import JsonObject
from bridge.options import read_yaml

ROOT = Path(__file__).parents[1]


@pytest.fixture
def service() -> JsonObject:
    """The service that runs bridge."""
    data = read_yaml((ROOT / "compose.yaml").read_bytes(), "compose.yaml").data
    assert isinstance(data, dict)
    assert isinstance(data["services"], dict)
    found = data["services"]["bridge"]
    assert isinstance(found, dict)
    return found


def expanded(text: str, **environ: str) -> str:
    """Return a value as Compose fills it: as the shell, which writes its parameters in the same way."""
    shell = subprocess.run(["/bin/sh", "-c", f'printf %s "{text}"'], env=environ, capture_output=True, check=True)  # noqa: S603 (the text is ours)
    return shell.stdout.decode()


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, ""),
        ({"BRIDGE_DOMAIN": "bridge.example.com"}, "https://bridge.example.com"),
        ({"BRIDGE_PUBLIC_URL": "https://example.com/bridge"}, "https://example.com/bridge"),
        ({"BRIDGE_PUBLIC_URL": "https://a.example", "BRIDGE_DOMAIN": "b.example"}, "https://a.example"),
    ],
)
def test_the_public_address_is_the_one_that_is_set_or_else_that_of_the_domain(
    service: JsonObject, environ: dict[str, str], url: str
) -> None:
    environment = service["environment"]
    assert isinstance(environment, dict)
    assert expanded(str(environment["BRIDGE_PUBLIC_URL"]), **environ) == url


def test_the_rules_are_mounted_as_a_folder_so_that_a_file_put_in_their_place_is_seen(service: JsonObject) -> None:
    found = re.search(r"BRIDGE_ROUTES=(\S+)", (ROOT / "Dockerfile").read_text("utf-8"))
    assert found
    rules = Path(found[1])
    assert isinstance(service["volumes"], list)
    mounts = {target: source for source, target, *_ in (str(each).split(":") for each in service["volumes"])}
    assert [target for target in mounts if Path(target).is_relative_to(rules.parent)] == [str(rules.parent)]
    assert (ROOT / mounts[str(rules.parent)] / rules.name).is_file()


def test_a_stop_waits_for_answers_and_then_for_deliveries(service: JsonObject) -> None:
    settings = Settings.model_fields
    longest = settings["body_timeout"].default + settings["drain_seconds"].default
    assert int(str(service["stop_grace_period"]).removesuffix("s")) > longest
