"""What a run came to. A bar is a figure, and missing it is told; loss is a failure, and so is what never settles."""

from collections.abc import Iterable


def bar(least_or_most: float, *, holds: bool) -> str:
    """Return a bar with whether it was met."""
    return f"bar {least_or_most:g}, {'met' if holds else 'missed'}"


def counted(**counts: int) -> list[str]:
    """Return what there must be none of, and is."""
    return [f"{name.replace('_', ' ')} {count}" for name, count in counts.items() if count]


def conclude(faults: Iterable[str]) -> int:
    """Print the verdict, and return the exit code."""
    told = "; ".join(faults)
    print(f"verdict    {f'failed: {told}' if told else 'passed'}")
    return 1 if told else 0
