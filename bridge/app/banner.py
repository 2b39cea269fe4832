"""What ``bridge run`` prints once it is ready: where it is, what to paste into the CRM, what to try next."""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bridge.control.host import VERSION

HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Started:
    """What a person wants to know of a daemon that is ready.

    ``addresses`` are, per source, what to give the sender. A secret that the user chose is hidden in them: they know
    it, and standard output may be kept where others read it. One that bridge made is shown: it is news.
    """

    url: str
    addresses: Mapping[str, str]
    rules: Path
    routes: int
    data: Path


def banner(started: Started) -> str:
    """Return the lines to print."""
    command = f"{_command()} send deal.lost{_data_flag(started.data)}"
    return "\n".join(
        [
            f"bridge {VERSION} is ready at {started.url}",
            "",
            *(line for source in started.addresses.items() for line in _paste(*source)),
            f"  Rules: {started.rules} ({started.routes} routes). Save the file, and it is read again.",
            "",
            "  Try it, in another terminal:",
            f"    {command}",
            "",
        ]
    )


def _paste(source: str, address: str) -> list[str]:
    https = (
        []
        if address.startswith("https:")
        else ["    (from outside, through HTTPS: see docs/how-to/connect-the-crm.md)"]
    )
    return [f"  Paste this address into the CRM's webhooks (source {source!r}):", f"    {address}", *https, ""]


def _command() -> str:
    """Return how this program was called, as the reader can call it again."""
    called = Path(sys.argv[0])
    if called.name != "bridge":
        return "python -m bridge"
    return "bridge" if shutil.which("bridge") == str(called.absolute()) else os.path.relpath(called)


def _data_flag(data: Path) -> str:
    return "" if data == Path("data") else f" --data {data}"
