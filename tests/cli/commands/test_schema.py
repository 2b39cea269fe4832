import json

from click.testing import CliRunner
from jsonschema import Draft202012Validator

from bridge.cli.main import bridge


def test_the_schema_is_a_json_schema(runner: CliRunner) -> None:
    result = runner.invoke(bridge, ["schema"])
    assert result.exit_code == 0
    schema = json.loads(result.stdout)
    Draft202012Validator.check_schema(schema)
    assert "routes" in schema["properties"]
