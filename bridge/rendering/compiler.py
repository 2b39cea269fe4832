"""How templates become Python: Jinja's compiler with three hooks.

The hooks are the ones that Jinja leaves open: visitors of the code generator, and ``Template.from_code``.
"""

from collections.abc import Iterable, MutableMapping
from functools import lru_cache
from types import CodeType
from typing import TYPE_CHECKING, Any, Protocol, cast

from jinja2 import Environment, Template, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Macro, identity
from markupsafe import Markup

from bridge.rendering.budget import account
from bridge.rendering.made import MadeList, made_object
from bridge.rendering.value import printed

if TYPE_CHECKING:
    from collections.abc import Callable


COMPARING = frozenset(
    {"==", "!=", "<", "<=", ">", ">=", "eq", "equalto", "ge", "greaterthan", "gt", "in", "le", "lessthan", "lt", "ne"}
)
"""Tests that compare."""
_WRITTEN_OUT = (nodes.Const, nodes.Tuple, nodes.List)
SHOWN = "shown"
"""What compiled templates call to print a value."""


class Guarded(Protocol):
    """What the hooks need to know of their environment."""

    inert: type[Markup] | None
    """The type of safe texts, where the field has an escape."""
    free: dict[str | None, frozenset[str]]
    """Per file that was compiled, and of the latest text, the names that it does not set itself."""

    def touches(self, text: str) -> bool:
        """Tell whether escaping would change a text."""


class Compiler(CodeGenerator):
    """Marks the author's literals as such, meters loops, and refuses what the rules language leaves out.

    On its way it notes the free names. Jinja has a function for them, which writes all of the code once more.
    """

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802 (Jinja's name)
        """Write a template."""
        self._free: set[str] = set()
        super().visit_Template(node, frame)
        cast("Guarded", self.environment).free[self.name] = frozenset(self._free)

    def enter_frame(self, frame: Frame) -> None:
        """Write the beginning of a scope."""
        super().enter_frame(frame)
        resolved = (name for action, name in frame.symbols.loads.values() if action == "resolve" and name is not None)
        self._free.update(name for name in resolved if name not in self.environment.globals)

    def visit_Filter(self, node: nodes.Filter, frame: Frame) -> None:  # noqa: N802 (Jinja's name)
        """Write a filter, and load what it needs: it is not to be waited for when messages are due."""
        self._prepare(node.name)
        super().visit_Filter(node, frame)

    def visit_Const(self, node: nodes.Const, frame: Frame) -> None:  # noqa: N802 (Jinja's name)
        """Write a literal; one that escaping would touch stays as the author wrote it."""
        self._prepare(node.value)  # `map` takes a filter by its name
        if isinstance(node.value, str) and cast("Guarded", self.environment).touches(node.value):
            self.write(f"Markup({node.value!r})")
        else:
            super().visit_Const(node, frame)

    def visit_List(self, node: nodes.List, frame: Frame) -> None:  # noqa: N802 (Jinja's name)
        """Write a list that pays for comparisons."""
        self.write("environment.listed(")
        super().visit_List(node, frame)
        self.write(")")

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:  # noqa: N802 (Jinja's name)
        """Write a tuple as a list, but where it names what a value is unpacked to."""
        if node.ctx == "load":
            self.visit_List(nodes.List(node.items, lineno=node.lineno), frame)
        else:
            super().visit_Tuple(node, frame)

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:  # noqa: N802 (Jinja's name)
        """Write an object that pays for comparisons."""
        self.write("environment.made(")
        super().visit_Dict(node, frame)
        self.write(")")

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:  # noqa: N802 (Jinja's name)
        """Write a comparison; one with what may be long is paid for."""
        if not all(_is_short(node.expr, operand) for operand in node.ops):
            node.expr = _called("compared", node.expr)
        super().visit_Compare(node, frame)

    def visit_Test(self, node: nodes.Test, frame: Frame) -> None:  # noqa: N802 (Jinja's name)
        """Write a test; one that compares is paid for."""
        if node.name in COMPARING:
            node.node = _called("compared", node.node)
        super().visit_Test(node, frame)

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:  # noqa: N802 (Jinja's name)
        """Write how an item is read; Jinja would copy a part of a list or of a text without asking."""
        if isinstance(node.arg, nodes.Slice):
            bounds = (node.arg.start, node.arg.stop, node.arg.step)
            part: nodes.Expr = nodes.List([bound or nodes.Const(None) for bound in bounds], lineno=node.lineno)
            self.visit(_called("sliced", node.node, part), frame)
        else:
            super().visit_Getitem(node, frame)

    def visit_For(self, node: nodes.For, frame: Frame) -> None:  # noqa: N802 (Jinja's name)
        """Write a loop that pays for each turn."""
        if node.recursive:
            self.fail("recursive loops are left out here; write a macro", node.lineno)
        node.iter = _called("metered", node.iter)
        super().visit_For(node, frame)

    def visit_FilterBlock(self, node: nodes.FilterBlock, frame: Frame) -> None:  # noqa: N802 (Jinja's name)
        """Write a block whose filter's result is printed as any value is; Jinja would take it for the author's own."""
        inner = frame.inner()
        inner.symbols.analyze_node(node)
        self.enter_frame(inner)
        self.buffer(inner)
        self.blockvisit(node.body, inner)
        self.start_write(frame, node)
        self.write(f"{SHOWN}(")
        self.visit_Filter(node.filter, inner)
        self.write(")")
        self.end_write(frame)
        self.leave_frame(inner)

    def visit_AssignBlock(self, node: nodes.AssignBlock, frame: Frame) -> None:  # noqa: N802 (Jinja's name)
        """Write a set block; one with a filter Jinja marks as safe, whatever came through the filter."""
        if node.filter is not None:
            self.fail("a set block takes no filter here; put it behind the name where that is used", node.lineno)
        super().visit_AssignBlock(node, frame)

    def visit_Include(self, node: nodes.Include, frame: Frame) -> None:  # noqa: N802 (Jinja's name)
        """Write an include of a named file."""
        self._demand_a_name(node)
        super().visit_Include(node, frame)

    def visit_Import(self, node: nodes.Import, frame: Frame) -> None:  # noqa: N802 (Jinja's name)
        """Write an import of a named file."""
        self._demand_a_name(node)
        super().visit_Import(node, frame)

    def visit_FromImport(self, node: nodes.FromImport, frame: Frame) -> None:  # noqa: N802 (Jinja's name)
        """Write an import of a named file."""
        self._demand_a_name(node)
        super().visit_FromImport(node, frame)

    def visit_Block(self, node: nodes.Block, frame: Frame) -> None:  # noqa: N802 (Jinja's name)
        """Refuse a block."""
        self.fail("blocks are left out here; use include or a macro", node.lineno)

    def visit_Extends(self, node: nodes.Extends, frame: Frame) -> None:  # noqa: N802 (Jinja's name)
        """Refuse inheritance."""
        self.fail("extends is left out here; use include or a macro", node.lineno)

    def visit_ScopedEvalContextModifier(self, node: nodes.ScopedEvalContextModifier, frame: Frame) -> None:  # noqa: N802
        """Refuse to switch the escaping."""
        self.fail("autoescape is left out here; the target's format decides", node.lineno)

    def _prepare(self, name: object) -> None:
        prepare = getattr(self.environment.filters.get(name), "prepare", None) if isinstance(name, str) else None
        if prepare is not None:
            prepare()

    def _demand_a_name(self, node: nodes.Include | nodes.Import | nodes.FromImport) -> None:
        # A name that data decides could not be watched for edits, nor be held to exist before it is needed.
        if not isinstance(node.template, nodes.Const) or not isinstance(node.template.value, str):
            self.fail("the file must be named literally, between quotes", node.lineno)


def _called(helper: str, *values: nodes.Node) -> nodes.Expr:
    """Return the call of a helper of the environment."""
    call = nodes.Call(nodes.EnvironmentAttribute(helper), cast("list[nodes.Expr]", [*values]), [], None, None)
    return call.set_lineno(values[0].lineno)  # type: ignore[return-value]  # it returns the call


def _is_short(left: nodes.Expr, operand: nodes.Operand) -> bool:
    """Tell whether a comparison takes no longer than it takes to write it."""
    if operand.op in {"in", "notin"}:
        return isinstance(operand.expr, _WRITTEN_OUT)
    return isinstance(left, nodes.Const) or isinstance(operand.expr, nodes.Const)


class Compiled(Template):
    """A compiled template whose helpers keep within the budget, and whose texts stay inert."""

    @classmethod
    def from_code(
        cls,
        environment: Environment,
        code: CodeType,
        globals: MutableMapping[str, Any],  # noqa: A002 (Jinja's name)
        uptodate: "Callable[[], bool] | None" = None,
    ) -> "Template":
        """Bind the code to our helpers in place of Jinja's, whose escaping is HTML's."""
        template = super().from_code(environment, code, globals, uptodate)
        template.root_render_func.__globals__.update(_helpers(cast("Guarded", environment).inert))
        return template


@lru_cache(maxsize=16)  # one for each escape, of the rules of before a reload too
def _helpers(inert: type[Markup] | None) -> dict[str, object]:
    class Metered(Macro):
        def _invoke(self, arguments: list[Any], autoescape: bool) -> str:  # noqa: FBT001 (Jinja's signature)
            account.get().step()
            if self.catch_varargs:
                account.get().step(len(arguments[-1]))
                arguments[-1] = MadeList(arguments[-1])
            if self.catch_kwargs:
                place = -2 if self.catch_varargs else -1
                arguments[place] = made_object(arguments[place])
            text = super()._invoke(arguments, autoescape)
            return text if inert is None else inert(text)

    def joined(parts: Iterable[object]) -> str:
        kept = list(parts)
        if inert is not None and any(isinstance(part, Markup) for part in kept):
            kept = [inert.escape(part) for part in kept]
            return inert(_paid(kept))
        return _paid([printed(part) for part in kept])

    helpers: dict[str, object] = {"Macro": Metered, "str_join": joined, "markup_join": joined, SHOWN: printed}
    # What is printed was made inert by `finalize` already.
    return helpers if inert is None else {**helpers, "Markup": inert, "escape": identity, SHOWN: inert.escape}


def _paid(parts: list[Any]) -> str:
    account.get().write(sum(map(len, parts)))
    return "".join(parts)
