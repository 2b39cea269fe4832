"""The APIs of the sources in force. One whose credentials a reload leaves goes on, with its pace and its tokens."""

from collections.abc import Mapping
from pathlib import Path

from bridge.component.http import Http
from bridge.component.remote import Remote
from bridge.component.source import AnySource, SourceOptions


class Remotes:
    """Knows the API of each source that has one."""

    def __init__(self, http: Http, folder: Path) -> None:
        """Take the way out, and the folder for what has to be kept, such as tokens."""
        self._http = http
        self._folder = folder
        self._options: dict[str, SourceOptions] = {}
        self._remotes: dict[str, Remote] = {}

    def adopt(self, sources: Mapping[str, AnySource]) -> None:
        """Connect with the APIs of these sources, and forget all others."""
        remotes: dict[str, Remote] = {}
        for name, source in sources.items():
            same = name in self._remotes and self._options[name] == source.options
            remote = self._remotes[name] if same else source.remote(self._http, self._folder, self._remotes.get(name))
            if remote:
                remotes[name] = remote
        self._remotes, self._options = remotes, {name: sources[name].options for name in remotes}

    def get(self, source: str) -> Remote | None:
        """Return the API of a source, if it has one."""
        return self._remotes.get(source)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the sources that have one."""
        return tuple(self._remotes)
