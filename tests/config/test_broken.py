"""Broken rules files, each beside the exact lines that ``bridge check`` prints for it."""

from pathlib import Path

import pytest

from bridge.config import load
from bridge.options import InvalidConfigurationError

BROKEN = Path(__file__).parent / "broken"
ENVIRON = {"SLACK_BOT_TOKEN": "xoxb-1", "LEDGER_URL": "s3cret"}


@pytest.mark.parametrize("name", sorted(path.stem for path in BROKEN.glob("*.yaml")))
def test_a_broken_file_tells_what_is_wrong_and_where(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BROKEN)
    with pytest.raises(InvalidConfigurationError) as caught:
        load(Path(f"{name}.yaml"), ENVIRON)
    assert str(caught.value).splitlines() == Path(f"{name}.expected").read_text().splitlines()


@pytest.mark.parametrize("name", sorted(path.stem for path in BROKEN.glob("*.yaml")))
def test_no_problem_tells_a_value_from_outside(name: str) -> None:
    lines = (BROKEN / f"{name}.expected").read_text()
    assert not [value for value in ENVIRON.values() if value in lines]


def test_every_expectation_has_its_file() -> None:
    assert {path.stem for path in BROKEN.glob("*.expected")} == {path.stem for path in BROKEN.glob("*.yaml")}
