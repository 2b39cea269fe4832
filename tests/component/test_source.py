"""What every source's options promise."""

import pytest
from pydantic import ValidationError

from bridge.component.source import SourceOptions


@pytest.mark.parametrize("half", [{"auth_header": "X-Key"}, {"auth_key": "k"}])
def test_half_a_header_is_refused_as_it_would_open_nothing(half: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="auth_header and auth_key go together"):
        SourceOptions.model_validate(half)
