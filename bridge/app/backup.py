"""Backups of a data directory: the store and the secrets that bridge made. A backup is itself a data directory."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bridge.errors import SettingsError, StoreError, StoreUnavailableError
from bridge.files import put_private, sync
from bridge.ingest.secretbook import FOLDER
from bridge.store.sqlite.copying import Copied, copy, put_in_place
from bridge.store.sqlite.directory import DATABASE, RESTORING, DataDirectory


def back_up(data: Path, destination: Path) -> Copied:
    """Write a backup of a data directory into a new one, whether a daemon runs or not; it appears there once whole.

    Raises:
        SettingsError: the destination exists already.
        StoreError: nothing is stored, or the copy failed or is damaged; nothing is left of it.
    """
    _stored_in(data)
    if destination.exists():
        raise SettingsError(f"{destination} exists already: name a folder that does not")
    with _telling(destination):
        destination.parent.mkdir(parents=True, exist_ok=True)
        draft = destination.with_name(f".{destination.name}.{os.getpid()}")
        try:
            draft.mkdir(mode=0o700)
            copied = copy(data / DATABASE, draft / DATABASE)
            _copy_secrets(data / FOLDER, draft / FOLDER)
            sync(draft)
            draft.rename(destination)
            sync(destination.parent)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    return copied


def restore(backup: Path, data: Path, *, replace: bool) -> Copied:
    """Put a backup into a data directory, where something is stored only if it may be replaced.

    The backup is copied and checked first; then the copy takes the place of the old file, at once or not at all.
    Secrets of sources that the backup does not know stay.

    Raises:
        SettingsError: the backup is the data directory itself.
        StoreInUseError: a daemon runs on the data directory.
        StoreError: it holds something and may not be replaced, or the backup is damaged; it is left as it was.
    """
    _stored_in(backup)
    if backup.resolve() == data.resolve():
        raise SettingsError(f"{backup} is the data directory itself")
    with _telling(data):
        directory = DataDirectory.acquire(data)
        try:
            if _holds(data) and not replace:
                raise StoreError(f"{data} holds events already; to put the backup in their place: --yes")
            return _put(backup, data)
        finally:
            directory.let_go()


def _put(backup: Path, data: Path) -> Copied:
    """Put a backup in place by way of a draft. A kill leaves the draft, and no start takes for whole what is there."""
    draft = data / RESTORING
    try:
        draft.unlink(missing_ok=True)
        copied = copy(backup / DATABASE, draft)
        _copy_secrets(backup / FOLDER, data / FOLDER)
        put_in_place(draft, data / DATABASE)
    finally:
        draft.unlink(missing_ok=True)
    return copied


def _stored_in(directory: Path) -> None:
    if not _holds(directory):
        raise StoreError(f"nothing is stored in {directory}")


def _holds(directory: Path) -> bool:
    database = directory / DATABASE
    return database.is_file() and database.stat().st_size > 0


@contextmanager
def _telling(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailableError(f"{error.filename or place} cannot be used: {error.strerror}") from error


def _copy_secrets(source: Path, destination: Path) -> None:
    """Copy the secrets that bridge has made, each at once or not at all; drafts of such are none."""
    if not source.is_dir():
        return
    destination.mkdir(mode=0o700, exist_ok=True)
    for secret in sorted(source.iterdir()):
        if secret.is_file() and not secret.name.startswith("."):
            put_private(destination / secret.name, secret.read_bytes())
    sync(destination)
