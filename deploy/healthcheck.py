#!/usr/bin/env python3
"""Ask the daemon through its control socket how it is; exit 1 unless it answers that it can reach its store.

`bridge status` tells more, but it loads an HTTP client to do so: half a second of CPU, twice a minute, for ever.
This needs nothing but sockets, and no more than a start of Python.
"""

import os
import socket
import sys

PATIENCE = 4.0
"""Seconds for an answer, less than the health check of the image may take."""


def main() -> str | None:
    """Return why the daemon is not well, or None."""
    path = os.path.join(os.environ.get("BRIDGE_DATA") or "data", "bridge.sock")  # noqa: PTH118 (pathlib doubles the start)
    try:
        answer = _answer(path)
    except OSError as error:
        return f"no daemon answers on {path}: {error}"
    return None if b" 200 " in answer else f"the daemon answered {answer.decode(errors='replace')!r}"


def _answer(path: str) -> bytes:
    """Return the first line of the answer."""
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.settimeout(PATIENCE)
        daemon.connect(path)
        daemon.sendall(b"GET /api/status HTTP/1.0\r\nHost: bridge\r\n\r\n")
        return daemon.makefile("rb").readline(200).strip()


if __name__ == "__main__":
    sys.exit(main())
