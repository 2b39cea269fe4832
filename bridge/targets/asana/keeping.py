"""Bringing one task to the state that a message asks for. Safe to do again from any point at which it broke off.

First comes the task itself: the one of the link, else the one with the mark of the key, else a new one that bears the
mark from its first moment. Then it is moved. The comment, which nothing tells from an earlier one with the same words,
comes last: who finds it has nothing left to do.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Final
from zoneinfo import ZoneInfo

from bridge.component.occasion import read
from bridge.component.reading import is_gone, text_of
from bridge.errors import PermanentFailure, TransientFailure, UnknownOutcome
from bridge.model import Json, JsonObject, Link, Receipt
from bridge.targets.asana.api import Api
from bridge.targets.asana.names import Names
from bridge.targets.asana.options import AsanaAction, AsanaOptions
from bridge.targets.asana.tasks import SKEW, Tasks
from bridge.targets.asana.text import line, marked, within

NO_TASK: Final = "there is no task of this key, and the entry makes none"
DELETED: Final = "the task is gone: it was deleted at Asana, or moved to where the token may not see it"
TOLD: Final = {"opt_fields": "permalink_url"}


@dataclass(frozen=True, slots=True)
class Place:
    """A project, and what is known of it."""

    options: AsanaOptions
    names: Names
    tasks: Tasks


@dataclass(slots=True)
class Keeping:
    """One message about one task. ``link`` is what an earlier one has left."""

    place: Place
    api: Api
    action: AsanaAction
    mark: str
    link: Link | None
    said: list[str] = field(default_factory=list)
    """What a person may want to know of what was done."""

    async def run(self, target: str, key: str) -> Receipt:
        """Do all that is asked for."""
        if self.action.deleted:
            return await self._deleted()
        section = await self._section()
        task = await self._task(await self._fields(), section)
        if task is None:
            return Receipt(self.api.status, NO_TASK)
        comment = await self._comment(text_of(task, "gid"))
        link = Link(target, key, text_of(task, "gid"), self.left(task, comment))
        return Receipt(self.api.status, "; ".join(self.said), (link,))

    async def known(self) -> str | None:
        """Return the id of the task as far as it is known; it may be gone."""
        return self.link.external_id if self.link else await self.place.tasks.find(self.api, self.mark)

    def left(self, task: JsonObject, comment: str | None) -> JsonObject:
        """Return what later messages have to know."""
        left: JsonObject = {**(self.link.data if self.link else {}), "project": self.place.options.project}
        if address := text_of(task, "permalink_url"):
            left["url"] = address
        return {**left, "comment": comment} if comment else left

    async def _section(self) -> str | None:
        name = (self.action.section or "").strip()
        return await self.place.names.section_id(self.api, name) if name else None

    async def _fields(self) -> JsonObject:
        """Return what the entry says of the task, and nothing of what it does not name."""
        action, named = self.action, self.action.model_fields_set
        fields: JsonObject = {}
        if action.name and action.name.strip():
            fields["name"] = line(action.name)
        if "notes" in named:
            fields["notes"] = marked(action.notes or "", self.mark)
        if action.completed is not None:
            fields["completed"] = action.completed
        if "due" in named:
            fields |= due(action.due, ZoneInfo(self.place.options.timezone))
        if "assignee" in named:
            fields |= await self._assignee((action.assignee or "").strip())
        if action.custom_fields:
            values = [await self.place.names.field_value(self.api, *each) for each in action.custom_fields.items()]
            fields["custom_fields"] = dict(values)
        return fields

    async def _assignee(self, name: str) -> JsonObject:
        """Return who does it; whom Asana does not know changes nothing."""
        if not name:
            return {"assignee": None}
        if id_ := await self.place.names.user_id(self.api, name):
            return {"assignee": id_}
        self.said.append(f'nobody at Asana is known as "{name}"')
        return {}

    async def _task(self, fields: JsonObject, section: str | None) -> JsonObject | None:
        """Return the task as it is now; None if there is none and none is made."""
        if self.link and (task := await self._changed(self.link.external_id, fields, section)):
            return task
        if self.link and not self.action.makes:
            raise PermanentFailure(DELETED, status=HTTPStatus.NOT_FOUND)
        found = await self.place.tasks.find(self.api, self.mark)
        if self.action.makes:
            section = section or await self._usual_section()
        if found and (task := await self._changed(found, fields, section)):
            return task
        return await self._made(fields, section) if self.action.makes else None

    async def _changed(self, id_: str, fields: JsonObject, section: str | None) -> JsonObject | None:
        """Change a task, and move it; None if it is gone."""
        try:
            method, data = ("PUT", fields) if fields else ("GET", None)
            task = await self.api.thing(method, f"/tasks/{id_}", data, **TOLD)
            if section:
                await self._move(id_, section)
        except PermanentFailure as failure:
            if not is_gone(failure):
                raise
            self.place.tasks.forget(self.mark)
            return None
        self.said.append(f"updated {text_of(task, 'permalink_url') or id_}")
        return task

    async def _move(self, id_: str, section: str) -> None:
        await self.api.ask("POST", f"/sections/{section}/addTask", {"task": id_})

    async def _usual_section(self) -> str | None:
        """Return the id of the section that new tasks go to, if the target names one."""
        usual = self.place.options.section
        return await self.place.names.section_id(self.api, usual) if usual else None

    async def _made(self, fields: JsonObject, section: str | None) -> JsonObject:
        """Make the task."""
        given = {name: value for name, value in fields.items() if value is not None}
        body: JsonObject = {"notes": self.mark, **given, "projects": [self.place.options.project]}
        task = await self.api.thing("POST", "/tasks", body, **TOLD)
        if section:
            await self._move(text_of(task, "gid"), section)
        self.said.append(f"made {text_of(task, 'permalink_url') or text_of(task, 'gid')}")
        return task

    async def _deleted(self) -> Receipt:
        """Delete the task, if it is there."""
        id_ = await self.known()
        try:
            if id_:
                await self.api.ask("DELETE", f"/tasks/{id_}")
                self.place.tasks.forget(self.mark)
                return Receipt(self.api.status, "deleted")
        except PermanentFailure as failure:
            if not is_gone(failure):
                raise
        self.place.tasks.forget(self.mark)
        return Receipt(self.api.status, "there is no task to delete")

    async def _comment(self, id_: str) -> str | None:
        """Write the comment, and return its id.

        Raises:
            UnknownOutcome: Asana failed by itself, perhaps behind the deed.
        """
        text = (self.action.comment or "").strip()
        if not text:
            return None
        try:
            made = await self.api.thing("POST", f"/tasks/{id_}/stories", {"text": within(text)})
        except TransientFailure as failure:
            if (failure.status or 0) < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            unknown = UnknownOutcome(
                f"{failure.reason}; it may have been done", status=failure.status, excerpt=failure.excerpt
            )
        else:
            self.said.append("commented")
            return text_of(made, "gid")
        raise unknown


def due(text: str | None, zone: ZoneInfo) -> JsonObject:
    """Return when a task is due as Asana has it: a day, or a moment in UTC; nothing takes both away."""
    if text is None:
        return {"due_on": None}
    moment: date = read(text, zone)
    if not isinstance(moment, datetime):
        return {"due_on": moment.isoformat()}
    told: Json = f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}"
    return {"due_at": told}


async def find_comment(api: Api, task: str, text: str, after: str, since: datetime) -> str | None:
    """Return the id of a comment with that text, if there is one; a task that is gone has none.

    ``after`` is the id of the last comment that is known to be of an earlier message, empty if none is.
    """
    wanted, found = " ".join(within(text.strip()).split()), None
    try:
        async for story in api.listed(f"/tasks/{task}/stories", opt_fields="type,text,created_at"):
            if text_of(story, "gid") == after:
                found = None
            elif _is_comment(story, since) and " ".join(text_of(story, "text").split()) == wanted:
                found = text_of(story, "gid")
    except PermanentFailure as failure:
        if not is_gone(failure):
            raise
        return None
    return found


def _is_comment(story: JsonObject, since: datetime) -> bool:
    """Tell whether a story is a comment that was written since then, or a little before: clocks differ."""
    if text_of(story, "type") != "comment":
        return False
    try:
        written = datetime.fromisoformat(text_of(story, "created_at"))
    except ValueError:
        return True
    return (since - written).total_seconds() < SKEW.total_seconds()
