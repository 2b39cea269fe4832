"""Finding a task again by the mark in its description, before another one is made for the same key.

A personal token may not keep a key of ours at a task (`external` is for OAuth apps), and Asana's search is late and not
in every plan. So the tasks of the project are read once, and then, before each new one, those changed since.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from bridge.component.marks import mark_in
from bridge.component.reading import text_of
from bridge.model import JsonObject
from bridge.targets.asana.api import Api
from bridge.targets.asana.names import project_needed
from bridge.targets.asana.options import AsanaOptions

SKEW: Final = timedelta(minutes=5)
"""How much is read again: what changes in one moment shows in no order, and clocks differ."""


class Tasks:
    """The marked tasks of one project, by their marks."""

    def __init__(self, options: AsanaOptions) -> None:
        """Know none yet."""
        self._project = options.project
        self._found: dict[str, str] = {}
        self._newest = ""
        self._reading = asyncio.Lock()

    async def find(self, api: Api, mark: str) -> str | None:
        """Return the id of the task with a mark; of several, which are copies that people made, the oldest.

        Raises as ``Api.ask``; then all of it is read again.
        """
        async with self._reading:
            newest, since = self._newest, _since(self._newest)
            with project_needed():
                async for task in api.listed("/tasks", project=self._project, opt_fields="notes,modified_at", **since):
                    self._take(task)
                    newest = max(newest, text_of(task, "modified_at"))
            self._newest = newest
        return self._found.get(mark)

    def forget(self, mark: str) -> None:
        """Forget a task that is gone."""
        self._found.pop(mark, None)

    def _take(self, task: JsonObject) -> None:
        mark, id_ = mark_in(text_of(task, "notes")), text_of(task, "gid")
        if mark:
            self._found[mark] = min(id_, self._found.get(mark, id_), key=int)


def _since(newest: str) -> dict[str, str]:
    """Return what asks for the tasks that were changed since a little before the newest that is known."""
    return {"modified_since": (datetime.fromisoformat(newest) - SKEW).isoformat()} if newest else {}
