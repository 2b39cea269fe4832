"""What the CRM would send: samples, told of one and the same entity, so that each follows what came before."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from hashlib import sha256

from bridge.component import AnySource
from bridge.config.trial_frame import SendFrame
from bridge.config.trials import kind_of
from bridge.document import slot
from bridge.errors import BridgeError
from bridge.model import JsonObject
from bridge.routing.matcher import AS_SENT

EDITED = "updated_at"
"""The field that dates every edit."""


class UnsendableError(BridgeError):
    """A step that sets what the sample does not have."""


class Cast:
    """The entities of one test. Of each kind there is one, unless a step sets another id."""

    def __init__(self) -> None:
        """Know of nobody yet."""
        self._known: dict[tuple[str, str, str], JsonObject] = {}

    def bodies(self, reader: AnySource, said: SendFrame, now: datetime) -> Sequence[JsonObject]:
        """Return the webhooks of a step: for an entity that was not sent before, what comes before the sample too."""
        kind, told = kind_of(reader, said.send), deepcopy(list(reader.story(said.send, now)))
        settings = {path.partition(".")[2]: value for path, value in said.set.items()}
        id_ = str(settings.get("id", own_id(kind)))
        *before, last = (_document(body) for body in told)
        for document in (*before, last):
            document["id"] = id_
            _refer(document, reader.references.get(kind, {}))
        moved = {name for name, value in last.items() if before and before[-1].get(name) != value} | {EDITED}
        if known := self._known.get((reader.name, kind, id_)):
            last.update({name: known[name] for name in last.keys() & known.keys() - moved})
            told = told[-1:]
        for body in told:
            document = _document(body)
            for path, value in settings.items():
                if document is last or path.partition(".")[0] not in moved:
                    _set(document, path, value)
        self._known[reader.name, kind, id_] = deepcopy({**(known or {}), **last})
        return told


def own_id(kind: str) -> str:
    """Return the id of the one entity of a kind, of the length of the CRM's ids."""
    return sha256(kind.encode()).hexdigest()[:24]


def _document(body: JsonObject) -> JsonObject:
    document = body.get(AS_SENT)
    return document if isinstance(document, dict) else body


def _refer(document: JsonObject, references: Mapping[str, str]) -> None:
    """Let an entity point at the others of the test: a task is of the test's deal."""
    for kind, path in references.items():
        if document.get(path):
            document[path] = own_id(kind)


def _set(document: JsonObject, path: str, value: object) -> None:
    try:
        slot(document, path).fill(value)
    except LookupError as error:
        raise UnsendableError(f'set {path}: there is no "{error.args[0]}" in the sample') from None
