"""The languages of ``bridge init``, and which one somebody speaks."""

from collections.abc import Mapping

from bridge.cli.starter.english import ENGLISH
from bridge.cli.starter.portuguese import PORTUGUESE
from bridge.cli.starter.words import Words

LANGUAGES: Mapping[str, Words] = {"pt-BR": PORTUGUESE, "en": ENGLISH}
_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")


def spoken(environ: Mapping[str, str]) -> str:
    """Return the language of an environment: Portuguese wherever it is one, else English."""
    said = next((environ[name] for name in _VARIABLES if environ.get(name)), "")
    return "pt-BR" if said.lower().startswith("pt") else "en"
