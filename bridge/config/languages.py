"""The words of the schema in the languages of its readers: English is in the code, the others are in catalogues."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from babel.messages.pofile import read_po

from bridge.model import Json

ENGLISH: Final = "en"
PORTUGUESE: Final = "pt-BR"
LANGUAGES: Final = (ENGLISH, PORTUGUESE)
_SAID: Final = frozenset({"title", "description", "enumDescriptions"})
"""The keywords of a schema that are for people."""


class Language:
    """Says what is meant for people in one language, and in English what its catalogue lacks: components of others."""

    def __init__(self, code: str) -> None:
        """Take one of ``LANGUAGES``."""
        self.code = code
        self._texts = {} if code == ENGLISH else catalogue(code)

    @property
    def short(self) -> str:
        """Return the language without its country, as components name it."""
        return self.code.partition("-")[0]

    def say(self, text: str, **values: str) -> str:
        """Return an English text in this language, with values in the place of ``{names}``."""
        return self._texts.get(text, text).format(**values)

    def translated(self, schema: Json) -> Json:
        """Return a schema with its words in this language."""
        if isinstance(schema, list):
            return [self.translated(item) for item in schema]
        if not isinstance(schema, dict):
            return schema
        return {key: self._words(value) if key in _SAID else self.translated(value) for key, value in schema.items()}

    def _words(self, value: Json) -> Json:
        """Return words in this language; what is no text is a field that bears the name of a keyword."""
        if isinstance(value, list):
            return [self._words(item) for item in value]
        return self._texts.get(value, value) if isinstance(value, str) else self.translated(value)


@cache
def catalogue(code: str) -> Mapping[str, str]:
    """Return the texts of a language by their English ones."""
    with files("bridge.config").joinpath(f"{code}.po").open("rb") as file:
        messages = read_po(file, locale=code.replace("-", "_"))
    return {str(message.id): str(message.string) for message in messages if message.id and message.string}
