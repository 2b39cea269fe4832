"""Tests of telephone numbers: that their library is there when it is wanted, and not before."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys
from pathlib import Path
from bridge.rendering import Rendering
Rendering(Path("none"), "pt-BR", "America/Sao_Paulo", "BRL").text(sys.argv[1])
print("phonenumbers" in sys.modules)
"""


@pytest.mark.parametrize(
    ("source", "loaded"),
    [
        ("{{ deal.phone | upper }}", False),
        ("{{ deal.phone | phone }}", True),
        ("{% filter phone %}27 3212-3456{% endfilter %}", True),
        ("{{ contact.phones | map('phone') | join }}", True),
    ],
)
def test_the_library_is_loaded_when_a_template_that_wants_it_is_compiled(source: str, *, loaded: bool) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, source], capture_output=True, text=True, check=True)  # noqa: S603 (ours)
    assert done.stdout == f"{loaded}\n"
