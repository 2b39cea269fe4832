import errno
import resource
from collections.abc import Iterator
from unittest.mock import Mock

import pytest
from structlog.testing import capture_logs

from bridge.app.process import SELDOM, open_files, teller


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


def test_a_loop_that_can_accept_nothing_is_told_of_seldom_and_any_other_error_as_ever() -> None:
    loop, tell, full = Mock(), teller(), OSError(errno.EMFILE, "Too many open files")
    accepting = {"message": "socket.accept() out of system resource", "exception": full, "socket": None}
    with capture_logs() as lines:
        for seconds in (0.0, 0.0, SELDOM - 1, SELDOM):
            loop.time.return_value = 1000 + seconds
            tell(loop, accepting)
    assert [line["event"] for line in lines] == ["no files left", "no files left"]
    assert not loop.default_exception_handler.called
    for error in (full, KeyError("x")):
        tell(loop, {"message": "Task exception was never retrieved", "exception": error})
    assert loop.default_exception_handler.call_count == 2
