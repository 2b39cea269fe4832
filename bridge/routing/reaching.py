"""What a change's messages have to say of related entities: found out before they are rendered, and for them alone."""

from collections.abc import Iterable, Iterator

from bridge.component.source import AnySource, Relation
from bridge.document import is_empty, lookup
from bridge.model import Change, Entity, Json, Reach, Want
from bridge.routing.route import Route


def wants_of(change: Change, source: AnySource, routes: Iterable[Route]) -> Iterator[Want]:
    """Yield what routes that have heard a change mention, and its document does not hold itself."""
    entity = change.event.entity
    relations = source.relations.get(entity.kind) if entity else None
    if entity is None or not relations:
        return
    mentioned = frozenset[str]().union(*(route.mentions for route in routes))
    for name in sorted(relations.keys() & mentioned):
        if want := _want(change, entity, name, relations[name]):
            yield want


def _want(change: Change, entity: Entity, name: str, relation: Relation) -> Want | None:
    """Return what is to be looked up; None where the document holds it already, or says that there is none."""
    if relation.completes and not is_empty(lookup(change.current, f"{name}.name")):
        return None
    ids = _texts(lookup(change.current, relation.path))
    told = relation.completes or relation.path.partition(".")[0] in change.document
    if not ids and told:
        return None
    return Want(Reach(change.event.source, entity, name), relation.kind, ids, relation.path, relation.many)


def _texts(found: Json) -> tuple[str, ...]:
    each = found if isinstance(found, list) else [found]
    return tuple(id_ for id_ in each if isinstance(id_, str) and id_)
