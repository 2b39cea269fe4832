"""For all tests: the asserts of suites and helpers are rewritten, before anything imports them."""

import pytest

pytest.register_assert_rewrite("tests.contracts", "tests.support")
