"""The asserts of what tests share tell as much as those of the tests themselves."""

import pytest

pytest.register_assert_rewrite("tests.contracts", "tests.support")
