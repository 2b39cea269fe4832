"""Calculating within bounds: what the operators of templates do."""

import operator
from collections.abc import Callable
from typing import Any

from bridge.rendering.budget import BITS, BudgetError, account
from bridge.rendering.made import MadeList


def add(left: Any, right: Any) -> Any:  # noqa: ANN401 (any operands a template may have)
    """Add; texts and lists pay for what they grow to."""
    if isinstance(left, str) and isinstance(right, str):
        account.get().write(len(left) + len(right))
    elif isinstance(left, list | tuple) and isinstance(right, list | tuple):
        account.get().step(len(left) + len(right))
        return MadeList([*left, *right])
    return left + right


def multiply(left: Any, right: Any) -> Any:  # noqa: ANN401 (any operands a template may have)
    """Multiply numbers, or repeat a text, within bounds."""
    for text, times in ((left, right), (right, left)):
        if isinstance(text, str) and isinstance(times, int):
            account.get().write(len(text) * max(times, 0))
            return text * times
    if not _calculable(left, right):
        raise TypeError("only numbers can be multiplied, and a text by a number")
    if _bits(left) + _bits(right) > BITS:
        raise BudgetError("it multiplies numbers that are too large")
    return left * right


def power(left: Any, right: Any) -> Any:  # noqa: ANN401 (any operands a template may have)
    """Raise a number to a power, within bounds."""
    if not _calculable(left, right):
        raise TypeError("only numbers can be raised to a power")
    if isinstance(right, int) and _bits(left) * abs(right) > BITS:
        raise BudgetError("it raises a number to a power that is too large")
    return left**right


def modulo(left: Any, right: Any) -> Any:  # noqa: ANN401 (any operands a template may have)
    """Return the remainder; no formatting with %, which can pad a text to any width."""
    if not _calculable(left, right):
        raise TypeError("% is for numbers; put texts together with ~")
    return left % right


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": add,
    "-": operator.sub,
    "*": multiply,
    "/": operator.truediv,
    "//": operator.floordiv,
    "**": power,
    "%": modulo,
}


def _calculable(*values: object) -> bool:
    return all(isinstance(value, int | float) or hasattr(value, "total_seconds") for value in values)


def _bits(value: object) -> int:
    return value.bit_length() if isinstance(value, int) else 0
