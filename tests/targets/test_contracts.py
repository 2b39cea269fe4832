"""Every target is held to the contract of all, and a new one as soon as it is there."""

import inspect
from importlib import import_module

import pytest

from bridge.component.discovery import target_types
from tests.contracts.target import MEANING, TargetContract, Trouble


@pytest.mark.parametrize("name", target_types())
def test_each_type_of_target_is_held_to_the_contract(name: str) -> None:
    module = import_module(f"tests.targets.test_{name}")
    suites = [each for _, each in inspect.getmembers(module, inspect.isclass) if issubclass(each, TargetContract)]
    held = [suite for suite in suites if suite.__name__.startswith("Test") and suite.type_name == name]
    assert held
    assert all(suite.facing is not TargetContract.facing for suite in held)
    assert all(reason for suite in held for reason in suite.spared.values())


def test_each_trouble_has_a_meaning() -> None:
    assert set(MEANING) == set(Trouble)
