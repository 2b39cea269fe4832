"""What an asana target and its deliver entries take."""

import re
from collections.abc import Mapping
from typing import Annotated, Final, Self, TypeAlias

from pydantic import AfterValidator, Field, field_validator, model_validator

from bridge.component import Action, TargetOptions
from bridge.component.occasion import ZoneName, check
from bridge.options import Secret, is_stand_in
from bridge.options.address import Address

GID: Final = re.compile(r"\d{4,32}")
"""An id of Asana's."""
IN_ADDRESS: Final = re.compile(r"https://app\.asana\.com/(?:0/(\d+)|1/\d+/project/(\d+))(?:[/?#].*)?")
"""The address of a project, as it was and as it is."""
SOME_PROJECT: Final = "1200000000000000"
"""What a test of rules writes to where no project is known."""


def _some_moment(value: str | None) -> str | None:
    return check(value.strip()) if value and value.strip() else None


Moment: TypeAlias = Annotated[str | None, AfterValidator(_some_moment)]
Value: TypeAlias = str | bool | int | float | list[str | None] | None


class AsanaOptions(TargetOptions):
    """What an asana target takes."""

    token: Secret
    """A personal access token, from https://app.asana.com/0/my-apps."""
    project: str
    """The project: its address (`https://app.asana.com/…`), or the id in it."""
    section: str | None = None
    """The section for new tasks whose entry names none, by its name or its id; by default Asana's choice."""
    people: Mapping[str, str] = {}
    """Who is who: from an e-mail address, or a name as the CRM has it, to an e-mail address or an id at Asana."""
    timezone: ZoneName = "America/Sao_Paulo"
    """The time zone of moments that do not tell theirs."""
    api_url: Address = "https://app.asana.com/api/1.0"
    """The address of Asana's API."""

    @field_validator("token")
    @classmethod
    def _one_word(cls, value: Secret) -> Secret:
        if not (value.reveal().isascii() and value.reveal().isprintable()) or " " in value.reveal():
            raise ValueError("must be one word, without spaces or line breaks")
        return value

    @field_validator("project")
    @classmethod
    def _known_project(cls, value: str) -> str:
        if is_stand_in(value):
            return SOME_PROJECT
        found = IN_ADDRESS.fullmatch(value)
        project = found[1] or found[2] if found else value
        if not GID.fullmatch(project):
            raise ValueError("must be the address of the project (https://app.asana.com/…), or the id in it")
        return project


class AsanaAction(Action):
    """What a deliver entry to an asana target takes. What it does not name is left at Asana as it is."""

    name: str | None = None
    """The name of the task. An entry that has one makes the task if there is none; without one, it only changes it."""
    notes: str | None = None
    """The description, as plain text. `template:` fills it."""
    section: str | None = None
    """The section that the task is in, by its name or its id; naming it moves the task."""
    assignee: str | None = None
    """Who does it: an e-mail address, an id, or as `people` of the target knows them; empty takes it from everybody."""
    due: Moment = None
    """When it is due: a day or a moment; empty takes that away."""
    completed: bool | None = None
    """Whether it is done; `false` opens it again."""
    custom_fields: Mapping[str, Value] = Field(default_factory=dict)
    """Custom fields of the project by their names; empty clears one."""
    comment: str | None = None
    """A comment, written once for each message."""
    deleted: bool | None = None
    """`true` deletes the task, and makes none; Asana keeps it in its trash for a month."""

    @model_validator(mode="after")
    def _something_asked(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("asks for nothing: name the task, or what is to change about it")
        return self

    @property
    def makes(self) -> bool:
        """Tell whether a task is made if there is none."""
        return bool(self.name and self.name.strip()) and not self.deleted
