"""The asana target: one task for each key."""

from datetime import datetime
from typing import Final

from yarl import URL

from bridge.component import Answer, Http, Links, Request, Target
from bridge.component.http import json_body
from bridge.component.marks import mark_of
from bridge.component.reading import text_of
from bridge.errors import AccessRefused, PermanentFailure
from bridge.model import Json, JsonObject, Link, Message, Rate, Receipt
from bridge.targets.asana.api import Api
from bridge.targets.asana.keeping import Keeping, Place, find_comment
from bridge.targets.asana.names import Names
from bridge.targets.asana.options import AsanaAction, AsanaOptions
from bridge.targets.asana.tasks import Tasks

SHOWN: Final = ("section", "assignee", "due", "completed", "deleted")
"""What a preview shows of a task above its description, a line each."""
UNREPEATED: Final = ("name", "comment")
"""What an older message does and a newer one of its entry may not: it makes the task that others change or comment in
between, and it comments."""


class Asana(Target[AsanaOptions, AsanaAction]):
    """Makes, changes, moves, completes, comments and deletes tasks.

    A task is known by its key. Its link is written when it was made; until then the mark in its description is what
    it is found by, so that a crash or a lost answer makes no second one.
    """

    Options = AsanaOptions
    Action = AsanaAction
    main_field = "notes"
    rate = Rate(60, 60.0)
    """Asana takes 150 requests a minute of who does not pay, and a message takes one to four."""
    over_http = True

    def __init__(self, name: str, options: AsanaOptions) -> None:
        """Know nothing of the project yet."""
        super().__init__(name, options)
        self._place = Place(options, Names(options), Tasks(options))

    async def send(self, message: Message, links: Links, http: Http) -> Receipt:
        """Bring the task of the message's key to what is asked for."""
        keeping = await self._keeping(message, links, http)
        try:
            return await keeping.run(self.name, message.key)
        except PermanentFailure:
            self._place.names.forget()  # so that what people mend in the project is seen at once
            raise

    @property
    def looks_up(self) -> bool:
        """Tell that nothing stays unknown: a task is found by its mark, and a comment by its words."""
        return True

    async def look_up(self, message: Message, since: datetime, links: Links, http: Http) -> Receipt | None:
        """Look for the comment, which comes last; without one, sending again does no harm."""
        keeping = await self._keeping(message, links, http)
        comment = (keeping.action.comment or "").strip()
        task = await keeping.known() if comment else None
        if task is None:
            return None
        last = text_of(keeping.link.data, "comment") if keeping.link else ""
        found = await find_comment(keeping.api, task, comment, last, since)
        if found is None:
            return None
        return Receipt(None, "found the comment", (Link(self.name, message.key, task, keeping.left({}, found)),))

    async def probe(self, http: Http) -> str:
        """Ask for the project, and for the section that new tasks go to."""
        api = Api(self.options, http)
        project = await self._place.names.project(api)
        name = text_of(project, "name")
        if project.get("archived") is True:
            raise AccessRefused(f'the project "{name}" is archived')
        if not self.options.section:
            return f'sees the project "{name}"'
        await self._place.names.section_id(api, self.options.section)
        return f'sees the project "{name}", new tasks go to the section "{self.options.section}"'

    def upserts(self, content: JsonObject) -> bool:
        """Tell whether a newer message does all that an older one would, and nothing counts on the older one."""
        return not any(content.get(name) for name in UNREPEATED)

    def link_key(self, message: Message) -> str:
        """Return the message's own key, which has one task."""
        return message.key

    def accepted(self, request: Request, number: int) -> Answer:
        """Return what a project says that has whatever it is asked for, and no task yet."""
        asked = URL(request.url).name
        thing: JsonObject = {"gid": f"{12 * 10**8 + number}", "name": "Asana", "resource_subtype": "text"}
        named: JsonObject = {**thing, "name": self._place.names.sought.get("sections", "")}
        field: JsonObject = {**thing, "name": self._place.names.sought.get("custom_field_settings", "")}
        lists: dict[str, Json] = {"sections": [named], "custom_field_settings": [{"custom_field": field}]}
        empty = request.method == "GET" and asked in {"tasks", "stories"}
        return Answer(200, {}, json_body({"data": [] if empty else lists.get(asked, thing)}))

    def preview(self, content: JsonObject) -> str:
        """Return the task from the top down."""
        lines = [str(content["name"])] if content.get("name") else []
        lines += [f"{name}: {_shown(content[name])}" for name in SHOWN if name in content]
        fields = content.get("custom_fields")
        lines += [f"{name}: {_shown(value)}" for name, value in (fields if isinstance(fields, dict) else {}).items()]
        lines += ["", str(content["notes"])] if content.get("notes") else []
        lines += ["", f"comment: {content['comment']}"] if content.get("comment") else []
        return "\n".join(lines).strip()

    async def _keeping(self, message: Message, links: Links, http: Http) -> Keeping:
        """Return what is to be done; a link to a task of another project, before a change of options, is over."""
        action, link = self.action(message), await links.find(message.key)
        if link and link.data.get("project") != self.options.project:
            link = None
        return Keeping(self._place, Api(self.options, http), action, mark_of(message.key), link)


def _shown(value: Json) -> str:
    """Return a value as a person reads it."""
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if value not in {None, ""} else "—"
