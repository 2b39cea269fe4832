"""Rendering: where the rules' texts, files, structures and conditions are compiled, once."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bridge.component import Escape, Source, UnlessWhole
from bridge.model import Change, Json, JsonObject, Related
from bridge.rendering.budget import Seen
from bridge.rendering.compiling import compile_expression, compile_file, compile_text, sole_expression
from bridge.rendering.context import context_of, gathered
from bridge.rendering.environment import Sandbox
from bridge.rendering.filters import all_filters
from bridge.rendering.region import Region
from bridge.rendering.template import Alone, Branch, Constant, Expression, Part, Structure, Template

_MARKS = re.compile(r"\{\{|\{%|\{#")


class Rendering:
    """Compiles the templates of one rules file. ``templates`` is the folder that file names are relative to."""

    def __init__(self, templates: Path, locale: str, timezone: str, currency: str) -> None:
        """Prepare to compile.

        Raises:
            UnknownRegionError: the locale, timezone or currency names nothing.
        """
        self._templates = templates
        self._region = Region.of(locale, timezone, currency)
        self._filters = all_filters(self._region)
        self._sandboxes: dict[Escape | None, Sandbox] = {}
        self._files: set[str] = set()
        self._texts: dict[tuple[Escape | None, str, str], Template] = {}
        self._expressions: dict[tuple[Escape | None, str, str], Expression | None] = {}

    @property
    def region(self) -> Region:
        """Return where the users of the rules live."""
        return self._region

    def text(self, source: str, escape: Escape | None = None, name: str = "") -> Template:
        """Compile a text, once for all that are the same; ``name`` is what its errors call it.

        Raises:
            TemplateSyntaxProblem: it does not compile, or a file that it includes does not.
            TemplateNotFoundError: it includes a file that is not there.
        """
        key = (escape, source, name)
        if key not in self._texts:
            self._texts[key] = compile_text(self._sandbox(escape), source, name, self._files)
        return self._texts[key]

    def file(self, name: str, escape: Escape | None = None) -> Template:
        """Compile a file; blank lines around its text are left out. Raises as ``text`` does."""
        return compile_file(self._sandbox(escape), name, self._files)

    def expression(self, source: str, name: str = "") -> Expression:
        """Compile one expression, such as that of ``when``. Raises as ``text`` does."""
        return compile_expression(self._sandbox(None), source, name)

    def structure(
        self,
        value: Mapping[str, Json],
        escapes: Mapping[str, Escape],
        files: Mapping[str, str] | None = None,
        check: Callable[[JsonObject], object] | None = None,
        texts: frozenset[str] = frozenset(),
    ) -> Structure:
        """Compile an action: templates at any depth, each escaped as its top-level field demands.

        A leaf that is one ``{{ expression }}`` keeps the expression's type, except in the fields named in ``texts``;
        where its field's escape is ``UnlessWhole``, it is a text that keeps what data it is.
        ``files`` are fields that a template file fills. ``check`` raises ValueError for content that will not do.
        """
        parts: dict[str, Part] = {}
        for field, content in value.items():
            parts[field] = self.leaf(content, escapes.get(field), field, as_text=field in texts)
        for field, file in (files or {}).items():
            parts[field] = self.file(file, escapes.get(field))
        return Structure(parts, check)

    def leaf(self, value: Json, escape: Escape | None, name: str, *, as_text: bool = False) -> Part:
        """Compile a part of an action; ``name`` is its path, such as ``blocks.0.text``. Raises as ``text`` does."""
        if isinstance(value, dict):
            return Structure({key: self.leaf(item, escape, f"{name}.{key}") for key, item in value.items()})
        if isinstance(value, list):
            return Branch(tuple(self.leaf(item, escape, f"{name}.{place}") for place, item in enumerate(value)))
        if not isinstance(value, str) or not _MARKS.search(value):
            return Constant(value)
        spares = isinstance(escape, UnlessWhole)
        alone = self._alone(value, escape, name) if spares or not as_text else None
        if alone is None:
            return self.text(value, escape, name)
        return Alone(alone) if spares else alone

    def _alone(self, source: str, escape: Escape | None, name: str) -> Expression | None:
        """Return the expression that a text is all of, if it is; compiled once for all that are the same."""
        key = (escape, source, name)
        if key not in self._expressions:
            self._expressions[key] = sole_expression(self._sandbox(escape), source, name)
        return self._expressions[key]

    def context(
        self, change: Change, source: Source[Any], now: datetime, related: Related = MappingProxyType({})
    ) -> dict[str, object]:
        """Return the names that templates see of a change, and of what is related to it, at a moment."""
        return Seen(context_of(change, source, now, self._region.timezone, related))

    def gathered(
        self,
        items: Sequence[Mapping[str, object]],
        group: str,
        now: datetime,
        former: Sequence[Mapping[str, object]] | None,
    ) -> dict[str, object]:
        """Return the names that the template of a digest sees; ``former`` are the items of the digest before."""
        return Seen(gathered(items, group, now.astimezone(self._region.timezone), former))

    def files(self) -> tuple[Path, ...]:
        """Return the template files that were compiled so far, with those they include."""
        return tuple(self._templates / name for name in sorted(self._files))

    def _sandbox(self, escape: Escape | None) -> Sandbox:
        if escape not in self._sandboxes:
            self._sandboxes[escape] = Sandbox(self._templates, escape, self._filters)
        return self._sandboxes[escape]
