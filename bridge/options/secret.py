"""A secret: a value that prints as stars wherever it might slip out."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class Secret:
    """A string that only ``reveal()`` shows; ``str``, ``repr``, formatting and JSON all give stars."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Hide the value."""
        self._value = value

    def reveal(self) -> str:
        """Return the value; call this only where it goes on the wire."""
        return self._value

    def __repr__(self) -> str:
        """Return stars."""
        return "Secret('***')"

    def __str__(self) -> str:
        """Return stars."""
        return "***"

    def __bool__(self) -> bool:
        """Tell whether there is a value."""
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        """Compare the hidden values, for tests and change detection; authentication compares in constant time."""
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        """Hash the hidden value."""
        return hash(self._value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let pydantic make a Secret of any string, and write it as stars."""
        make = core_schema.no_info_after_validator_function(cls, core_schema.str_schema(min_length=1))
        stars = core_schema.plain_serializer_function_ser_schema(lambda _: "***")
        return core_schema.json_or_python_schema(
            json_schema=make,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), make]),
            serialization=stars,
        )


@runtime_checkable
class MakesSecrets(Protocol):
    """A model that makes something else of its secrets, which gives them away as well."""

    def made_secrets(self) -> Iterable[str]:
        """Return what it makes, in clear."""


def secrets_in(value: object) -> Iterator[str]:
    """Yield every secret that a model, or anything nested in one, holds or makes: for redaction, and nothing else."""
    if isinstance(value, Secret):
        yield value.reveal()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from secrets_in(vars(value)[name])  # as an attribute a deprecated field warns
        yield from value.made_secrets() if isinstance(value, MakesSecrets) else ()
    elif isinstance(value, Mapping):
        yield from secrets_in(tuple(value.values()))
    elif isinstance(value, list | tuple | set | frozenset):  # nothing else: a network would yield all its addresses
        for item in value:
            yield from secrets_in(item)
