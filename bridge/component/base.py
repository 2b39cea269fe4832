"""What all options share: strict, frozen, and silent about the values they hold."""

import ast
import inspect
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import pairwise
from textwrap import dedent

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class Strict(BaseModel):
    """A frozen model that refuses unknown keys and never repeats its input in an error.

    It is built when it is first asked for something: most rules need few of all models there are. The docstrings under
    its fields are read for a JSON Schema alone, for the source has to be parsed for them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe each field by the docstring under it."""
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        told = {name: text for owner in reversed(cls.__mro__) for name, text in _docstrings(owner).items()}
        for name, field in cls.model_fields.items():
            described, text = properties.get(field.alias or name), told.get(name)
            if described is not None and text != handler.resolve_ref_schema(described).get("description"):
                described.setdefault("description", text)
        return schema


@cache
def _docstrings(model: type) -> Mapping[str, str]:
    """Return what stands under each attribute that the source of a model annotates."""
    if not issubclass(model, Strict):
        return {}
    (written,) = ast.parse(dedent(inspect.getsource(model))).body
    return dict(_described(written.body if isinstance(written, ast.ClassDef) else ()))


def _described(statements: Iterable[ast.stmt]) -> Iterator[tuple[str, str]]:
    for field, below in pairwise(statements):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, inspect.cleandoc(text)
