"""Quantities as people write and read them."""

import pytest

from bridge.options.quantity import size_written


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (2**30, "1.0 GiB"), (2**52, "4096.0 TiB")],
)
def test_a_size_is_written_as_people_do(size: int, text: str) -> None:
    assert size_written(size) == text
