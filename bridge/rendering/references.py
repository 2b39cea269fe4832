"""Which names and fields a template uses, read from its syntax tree: what ``check`` holds against the known ones."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from jinja2 import nodes

Chain: TypeAlias = "tuple[tuple[str, ...], int]"
"""A name with the fields behind it, and its line."""


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A chain such as ``deal.deal_stage.name``.

    Positions in lists are left out (``contact.emails[0].email`` is three long), as paths of ``match`` leave them out.
    ``file`` is the template it stands in, if it is a file's. ``bound`` says that the template sets the name itself.
    """

    path: tuple[str, ...]
    line: int
    file: str = ""
    bound: bool = False


def references(chains: Iterable[Chain], free: frozenset[str], file: str = "") -> tuple[Reference, ...]:
    """Return a template's references, each once, in reading order; ``free`` are the names it does not set itself."""
    found = {Reference(path, line, file, path[0] not in free) for path, line in chains}
    return tuple(sorted(found, key=lambda reference: (reference.line, reference.path)))


def chains_of(tree: nodes.Template) -> tuple[Chain, ...]:
    """Return every chain of a template, whatever name it begins with."""
    return tuple(_chains(tree))


def _chains(node: nodes.Node) -> Iterator[Chain]:
    chain = _chain(node)
    if chain is not None:
        yield chain, node.lineno
        yield from _subscripts(node)
        return
    called = node.node if isinstance(node, nodes.Call) else None
    if isinstance(called, nodes.Getattr | nodes.Getitem) and _chain(called):
        # The last step of what is called is a method, not a field.
        yield from _chains(called.node)
        children: Iterator[nodes.Node] = node.iter_child_nodes(exclude=("node",))
    else:
        children = node.iter_child_nodes()
    for child in children:
        yield from _chains(child)


def _chain(node: nodes.Node) -> tuple[str, ...] | None:
    if isinstance(node, nodes.Name):
        return (node.name,) if node.ctx == "load" else None
    if not isinstance(node, nodes.Getattr | nodes.Getitem):
        return None
    root = _chain(node.node)
    step = _step(node)
    return None if root is None or step is None else root + step


def _step(node: nodes.Getattr | nodes.Getitem) -> tuple[str, ...] | None:
    """Return what one subscript adds to a path, or None if only data can tell."""
    if isinstance(node, nodes.Getattr):
        return (node.attr,)
    if isinstance(node.arg, nodes.Slice):
        return ()
    if isinstance(node.arg, nodes.Const):
        return (node.arg.value,) if isinstance(node.arg.value, str) else ()
    return None


def _subscripts(node: nodes.Node) -> Iterator[Chain]:
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        if isinstance(node, nodes.Getitem):
            yield from _chains(node.arg)
        node = node.node
