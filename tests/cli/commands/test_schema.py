import json

from click.testing import CliRunner
from jsonschema import Draft202012Validator

from bridge.cli.commands.schema import LANGUAGES
from bridge.cli.main import bridge
from bridge.config import languages


def test_the_schema_is_a_json_schema(runner: CliRunner) -> None:
    result = runner.invoke(bridge, ["schema"])
    assert result.exit_code == 0
    schema = json.loads(result.stdout)
    Draft202012Validator.check_schema(schema)
    assert "routes" in schema["properties"]
    assert schema["properties"]["routes"]["description"] == "The rules."


def test_it_speaks_portuguese_too(runner: CliRunner) -> None:
    schema = json.loads(runner.invoke(bridge, ["schema", "--language", "pt-BR"]).stdout)
    assert schema["properties"]["routes"]["description"] == "As regras."
    assert runner.invoke(bridge, ["schema", "--language", "pt-br"]).exit_code == 0
    assert runner.invoke(bridge, ["schema", "--language", "fr"]).exit_code == 2


def test_it_offers_the_languages_that_there_are() -> None:
    assert LANGUAGES == languages.LANGUAGES


def test_a_file_that_is_included_has_a_schema_of_its_own(runner: CliRunner) -> None:
    schema = json.loads(runner.invoke(bridge, ["schema", "--part"]).stdout)
    assert set(schema["properties"]) == {"sources", "targets", "routes"}
    assert "required" not in schema
