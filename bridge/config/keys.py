"""Keys: what orders deliveries and finds the object to update, where the bare name of a kind of entity will do."""

from collections.abc import Iterable

from bridge.config.vocabulary import Vocabulary

EVENT_ENTITY = "{{ event.kind }}:{{ event.entity_id }}"
"""The key of the entity that the event is about."""


def leads_to(key: str, kind: str, words: Vocabulary) -> bool:
    """Tell whether an event about an entity of one kind leads to an entity of the kind that a key names."""
    return key == kind or key in words.references.get(kind, {})


def expanded(key: str, kinds: Iterable[str], words: Vocabulary) -> str:
    """Return the template that a bare kind stands for: the entity itself, or the one it points at.

    An entity that points at none falls back to itself, so that its own deliveries stay in order.
    """
    branches = [
        (f"event.kind == '{kind}' and {kind}.{path}", f"{key}:{{{{ {kind}.{path} }}}}")
        for kind in sorted(kinds)
        if kind != key and (path := words.references.get(kind, {}).get(key))
    ]
    if not branches:
        return EVENT_ENTITY
    tests = (f"{{% {word} {test} %}}{text}" for word, (test, text) in zip(_words(), branches, strict=False))
    return f"{''.join(tests)}{{% else %}}{EVENT_ENTITY}{{% endif %}}"


def _words() -> Iterable[str]:
    yield "if"
    while True:
        yield "elif"
