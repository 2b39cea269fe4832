"""Words that come from other tools, or from Portuguese."""

import json
import re
from pathlib import Path

import pytest

from bridge.config.schema import json_schema
from bridge.config.timing_frame import DAYS
from bridge.options import did_you_mean
from bridge.options.carried import _SAID, meanings

PAGE = Path(__file__).parents[2] / "docs/reference/templates.md"


@pytest.mark.parametrize("word", ["condicoes", "Condições", " CONDIÇÕES "])
def test_accents_and_case_do_not_count(word: str) -> None:
    assert meanings(word) == ("match",)


def test_what_is_known_there_is_meant() -> None:
    assert did_you_mean("título", ["subject", "name"]) == 'did you mean "subject"?'
    assert did_you_mean("título", ["name", "text"]) == 'did you mean "name"?'
    assert did_you_mean("título", ["text"]) == "known: text"


def test_all_that_is_meant_is_a_word_of_the_rules_or_of_templates() -> None:
    text = json.dumps(json_schema()) + PAGE.read_text("utf-8")
    ours = {*re.findall("[a-z_]+", text), *re.findall(r"[a-z_]+\.[a-z_]+", text), *DAYS}
    assert set(_SAID) - ours == set()
