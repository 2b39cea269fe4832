"""Files and folders that may not be read, for tests that run as root, who may read everything."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def lock(monkeypatch: pytest.MonkeyPatch, path: Path, *, listed: bool = False) -> None:
    """Refuse a file to be opened, or a folder to be entered, and to be listed unless it may be ``listed``."""

    def refusing(call: Callable[..., Any], refuses: Callable[[Path], bool]) -> Callable[..., Any]:
        def guarded(of: Any = ".", *args: Any, **kwargs: Any) -> Any:
            if isinstance(of, str | Path) and refuses(Path(of)):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(of))
            return call(of, *args, **kwargs)

        return guarded

    monkeypatch.setattr("builtins.open", refusing(open, lambda of: path in (of, *of.parents)))
    monkeypatch.setattr("io.open", refusing(open, lambda of: path in (of, *of.parents)))
    monkeypatch.setattr(
        "os.scandir", refusing(os.scandir, lambda of: path in of.parents or (of == path and not listed))
    )
    monkeypatch.setattr("os.stat", refusing(os.stat, lambda of: path in of.parents))
