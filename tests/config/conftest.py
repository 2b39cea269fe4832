from pathlib import Path

import pytest

from tests.support.rules import Rules


@pytest.fixture
def rules(tmp_path: Path) -> Rules:
    return Rules(tmp_path)
