import resource
from collections.abc import Iterator

import pytest

from bridge.app.process import open_files


@pytest.fixture
def _limits() -> Iterator[None]:
    """Give the test process its limits back."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("_limits")
def test_as_many_files_may_be_open_as_the_system_allows() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, hard), hard))
    open_files()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
