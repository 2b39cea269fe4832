"""From source text to compiled templates, with every way that it can fail told as one kind of problem."""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from jinja2 import Template as Compiled
from jinja2 import TemplateNotFound, TemplateSyntaxError, nodes
from jinja2.meta import find_referenced_templates
from jinja2.parser import Parser

from bridge.options.suggestion import did_you_mean
from bridge.rendering.alike import mould_of
from bridge.rendering.environment import Sandbox
from bridge.rendering.errors import TemplateNotFoundError, TemplateSyntaxProblem
from bridge.rendering.references import Reference, chains_of, references
from bridge.rendering.template import RESULT, Expression, Template

SOURCE = 64 * 1024
"""Characters that a template may have."""
ESCAPES = "data is made inert as the target's format needs, without a filter"

_ENDINGS = {
    "unexpected '}'": "what begins with `{{` ends with `}}`",
    "unexpected 'end of template'": "something is missing at its end",
}
"""Hints for what Jinja says where something is cut short."""
_UNKNOWN = re.compile(r"No (filter|test) named '([^']*)'")
_UNKNOWN_TAG = re.compile(r"Encountered unknown tag '(\w+)'")
_INNERMOST = re.compile(r"innermost block that needs to be closed is '(\w+)'")
TAGS = ("if", "elif", "else", "endif", "for", "endfor", "set", "endset", "include", "macro", "endmacro", "filter")
_SIGN = re.compile(r"""unexpected char ['"](.)['"] at \d+""")
_SIGNS = {
    "$": "a name is written without it, a text between quotation marks",
    **dict.fromkeys(("\u201c", "\u201d", "\u2018", "\u2019"), "a text stands between straight quotation marks"),
    "&": "write `and`",
    **dict.fromkeys("'\"", "the quotation mark is never closed"),
    "?": "for what may be missing write `| default('—')`",
}
"""Hints for signs that no expression has."""
_GOES_ON = re.compile(r"expected token 'end of print statement', got '(.+)'")
_DECIDING = re.compile(r"\{\{-?\s*(?:if|for|set|se|para)\b")
_MORE = {
    **dict.fromkeys(("e", "y"), "write `and`"),
    **dict.fromkeys(("ou", "o", "|"), "write `or`"),
    "=": "write `==`",
    "contains": "write the other way round `'…' in deal.name`",
    ",": "a number has a point before its cents, as in 1234.50",
}
"""Hints for words with which other languages go on."""
_ESCAPING = frozenset({"e", "escape", "forceescape", "safe"})


def compile_text(sandbox: Sandbox, source: str, name: str, files: set[str]) -> Template:
    """Compile a text, and the files that it includes; their names are added to ``files``."""
    with _problems(sandbox, name, source):
        mould, words = mould_of(sandbox, source)
        compiled = mould.filled(sandbox, words)
    return Template(compiled, name, (*mould.used, *_reached(sandbox, mould.included, files)))


def compile_file(sandbox: Sandbox, name: str, files: set[str]) -> Template:
    """Compile a file, and the files that it includes; all their names are added to ``files``."""
    used = tuple(_reached(sandbox, [name], files))
    return Template(sandbox.get_template(name), name, used, trims=True)


def compile_expression(sandbox: Sandbox, source: str, name: str) -> Expression:
    """Compile one expression."""
    with _problems(sandbox, name, source):
        if "{{" in source or "{%" in source:
            raise TemplateSyntaxError("this is an expression already; leave out the braces", 1)
        parser = Parser(sandbox, source, state="variable")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            raise TemplateSyntaxError(_more(str(parser.stream.current.value)), parser.stream.current.lineno)
        return _expression(sandbox, tree, source, name)


def _more(word: str) -> str:
    """Return what is wrong with an expression that goes on with a word where it has ended."""
    hint = _MORE.get(word)
    return f'more follows where the expression has ended: "{word}"' + (f"; {hint}" if hint else "")


def sole_expression(sandbox: Sandbox, source: str, name: str) -> Expression | None:
    """Compile a text that is one ``{{ expression }}`` and nothing else; None if there is more, or something else."""
    with _problems(sandbox, name, source):
        body = sandbox.parse(source).body
        if len(body) != 1 or not isinstance(body[0], nodes.Output) or len(body[0].nodes) != 1:
            return None
        tree = body[0].nodes[0]
        return None if isinstance(tree, nodes.TemplateData) else _expression(sandbox, tree, source, name)


def _expression(sandbox: Sandbox, tree: nodes.Expr, source: str, name: str) -> Expression:
    body: list[nodes.Node] = [nodes.Assign(nodes.Name(RESULT, "store"), tree, lineno=tree.lineno)]
    template = nodes.Template(body, lineno=1)
    template.set_environment(sandbox)
    compiled, used = _compiled(sandbox, template)
    return Expression(compiled, source, name, used, sandbox.inert)


def _compiled(sandbox: Sandbox, tree: nodes.Template) -> tuple[Compiled, tuple[Reference, ...]]:
    """Compile a tree, and tell what it uses: its chains first, for compiling changes the tree."""
    chains = chains_of(tree)
    compiled = sandbox.from_string(tree)
    return compiled, references(chains, sandbox.free[None])


def _reached(sandbox: Sandbox, names: Iterable[str | None], files: set[str]) -> Iterator[Reference]:
    """Compile files and whatever they include, each once however often it is reached; yield what they use."""
    waiting, seen = deque(names), set[str]()
    while waiting:
        name = waiting.popleft()
        if name is None or name in seen:
            continue
        seen.add(name)
        used, included = _file(sandbox, name)
        files.add(name)
        yield from used
        waiting.extend(included)


def _file(sandbox: Sandbox, name: str) -> tuple[tuple[Reference, ...], tuple[str | None, ...]]:
    """Compile one file, once for all that include it; return what it uses and which files it includes itself."""
    if name not in sandbox.compiled:
        source = _read(sandbox, name)
        with _problems(sandbox, name, source):
            tree = sandbox.parse(source, name)
            sandbox.get_template(name)
        used = references(chains_of(tree), sandbox.free[name], name)
        sandbox.compiled[name] = used, tuple(find_referenced_templates(tree))
    return sandbox.compiled[name]


def _read(sandbox: Sandbox, name: str) -> str:
    try:
        return sandbox.loader.get_source(sandbox, name)[0] if sandbox.loader else ""
    except TemplateNotFound:
        raise TemplateNotFoundError(name, filter(str.isprintable, sandbox.list_templates())) from None
    except UnicodeDecodeError as error:
        raise TemplateSyntaxProblem(f"the file is not UTF-8: {error.reason}", name=name) from error
    except OSError as error:
        raise TemplateSyntaxProblem(f"the file cannot be read: {error.strerror}", name=name) from error


@contextmanager
def _problems(sandbox: Sandbox, name: str, source: str) -> Iterator[None]:
    """Turn whatever compiling raises into a TemplateSyntaxProblem."""
    if len(source) > SOURCE:
        raise TemplateSyntaxProblem(f"a template has at most {SOURCE} characters", name=name)
    try:
        yield
    except TemplateSyntaxError as error:
        message, hint = _told((error.message or "").rstrip("."), source, sandbox)
        raise TemplateSyntaxProblem(message, line=error.lineno, name=error.name or name, hint=hint) from None
    except (RecursionError, MemoryError, SyntaxError):
        raise TemplateSyntaxProblem("the template is nested too deeply", name=name) from None
    except Exception as error:  # Jinja and Python know more ways to refuse a text than they tell of
        raise TemplateSyntaxProblem(f"the template cannot be compiled: {error}", name=name) from error


def _told(message: str, source: str, sandbox: Sandbox) -> tuple[str, str]:
    """Return what is wrong in words for people who never heard of Jinja, and what may have been meant."""
    if found := _UNKNOWN_TAG.match(message):
        tag, block = found[1], _INNERMOST.search(message)
        return f'there is no tag "{tag}"', did_you_mean(tag, [f"end{block[1]}"] if block else TAGS)
    if found := _SIGN.match(message):
        return f"the sign {found[1]} cannot stand here", _SIGNS.get(found[1], "")
    if found := _GOES_ON.match(message):
        deciding = "what decides or repeats stands in {% … %}" if _DECIDING.search(source) else ""
        return f'"{found[1]}" cannot follow here', deciding or _MORE.get(found[1], "")
    if message == "expected token 'name', got '|'":
        return 'what follows "|" is the name of a filter', "for one of two conditions write `or`"
    return message, _hint(message, sandbox)


def _hint(message: str, sandbox: Sandbox) -> str:
    """Return what may have been meant, where Jinja's message names a filter or a test that there is none of."""
    unknown = _UNKNOWN.search(message)
    if unknown is None:
        return _ENDINGS.get(message, "")
    kind, word = unknown.groups()
    if word in _ESCAPING:
        return ESCAPES
    return did_you_mean(word, sandbox.filters if kind == "filter" else sandbox.tests)
