"""What ``bridge run`` prints once it is ready: where it is, what to paste into the CRM, what to try next."""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bridge.control.host import VERSION


@dataclass(frozen=True, slots=True)
class Started:
    """What a person wants to know of a daemon that is ready.

    ``addresses`` are, per source, what to give the sender; None where it holds a secret that the user chose: they know
    it, and standard output may be kept where others read it. One that bridge made is shown: it is news. Those of
    ``subscribed`` nobody has to paste: bridge registers the webhooks itself.
    """

    url: str
    addresses: Mapping[str, str | None]
    rules: Path
    routes: int
    data: Path
    subscribed: frozenset[str] = frozenset()


def banner(started: Started) -> str:
    """Return the lines to print."""
    routes = f"{started.routes} route{'' if started.routes == 1 else 's'}"
    return "\n".join(
        [
            f"bridge {VERSION} is ready at {started.url}",
            "",
            *(line for source in started.addresses for line in _address(started, source)),
            f"  Rules: {started.rules} ({routes}). Save the file, and it is read again.",
            "",
            "  Try it, in another terminal:",
            f"    {_command('send deal.lost', started.data)}",
            "",
        ]
    )


def _address(started: Started, source: str) -> list[str]:
    address = started.addresses[source]
    if source in started.subscribed:
        told = f"  bridge registers the CRM's webhooks (source {source!r}) itself"
        if address:
            return [f"{told}, for this address:", f"    {address}", ""]
        return [f"{told}. How they are:", f"    {_command('crm status', started.data)}", ""]
    if address is None:
        told = f"  The address for the CRM's webhooks (source {source!r}) holds the secret that you chose. To see it:"
        return [told, f"    {_command(f'address {source}', started.data)}", ""]
    https = (
        []
        if address.startswith("https:")
        else ["    (from outside, through HTTPS: see docs/how-to/connect-the-crm.md)"]
    )
    return [f"  Paste this address into the CRM's webhooks (source {source!r}):", f"    {address}", *https, ""]


def _command(arguments: str, data: Path) -> str:
    """Return a command of this program, as the reader can call it."""
    return f"{called()} {arguments}{_data_flag(data)}"


def called(start: Path = Path()) -> str:
    """Return how this program was called, as the reader can call it again from a folder."""
    program = Path(sys.argv[0])
    if program.name != "bridge":
        return "python -m bridge"
    return "bridge" if shutil.which("bridge") == str(program.absolute()) else os.path.relpath(program, start)


def _data_flag(data: Path) -> str:
    return "" if data == Path("data") else f" --data {data}"
