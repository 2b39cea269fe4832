"""A registered webhook, as either API tells of it."""

from typing import Final

from bridge.component.remote import Registration, RegistrationStatus
from bridge.errors import RemoteUnavailableError
from bridge.model import JsonObject

STATUSES: Final[dict[str, RegistrationStatus]] = {
    "active": "active",
    "suspended": "suspended",
    "inactive": "inactive",
}


def registration(told: JsonObject, id_field: str, event_field: str) -> Registration:
    """Return a registered webhook; one whose status is told by no word we know is taken for inactive.

    Raises:
        RemoteUnavailableError: an id, an event or an address is missing.
    """
    id_, event, url = (told.get(field) for field in (id_field, event_field, "url"))
    if not (isinstance(id_, str) and isinstance(event, str) and isinstance(url, str)):
        raise RemoteUnavailableError("the CRM answered with something that is no webhook")
    return Registration(id_, event, url, STATUSES.get(str(told.get("status", "active")), "inactive"))
