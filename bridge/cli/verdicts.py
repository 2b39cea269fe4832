"""How tests went: for people, for programs, and as JUnit XML for CI."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from bridge.cli.explanation import refusals
from bridge.cli.screen import clean
from bridge.config.trials import Expectation
from bridge.control.shapes import Shape
from bridge.model import Json
from bridge.trial import Failure, Result
from bridge.trial.accounting import Missing, Near, Seen

NEAR = 3
"""So many deliveries that come near are told."""


def told(failure: Failure) -> Iterator[str]:
    """Yield what went wrong, a line each: what did not come and why, what came in its place, what came beside it."""
    yield f"{failure.place}"
    if failure.message:
        yield failure.message
    for missing in failure.account.missing:
        yield from _missing(missing)
        if not missing.nearest or missing.nearest[0].seen.delivery.target != missing.expected.said.to:
            yield from _silence(failure, missing.expected.said.to)
    shown = {near.seen.delivery.id for missing in failure.account.missing for near in missing.nearest[:NEAR]}
    for seen in failure.account.unexpected:
        if seen.delivery.id in shown:
            continue
        yield from _block("+ not expected: ", _delivery(seen))


def verdict(result: Result) -> Shape:
    """Return how a test went, as JSON."""
    failure, place = result.failure, result.trial.place
    return {
        "name": result.trial.name,
        "file": place.file,
        "line": place.line,
        "passed": failure is None,
        "seconds": round(result.seconds, 3),
        "failure": failure and {"line": failure.place.line, "text": "\n".join(told(failure))},
    }


def write_junit(path: Path, results: Sequence[Result]) -> None:
    """Write results as JUnit XML, a suite for each file of tests."""
    root = ET.Element("testsuites")
    for file in dict.fromkeys(result.trial.place.file for result in results):
        _suite(root, file, [result for result in results if result.trial.place.file == file])
    ET.indent(root)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _suite(root: ET.Element, file: str, results: Sequence[Result]) -> None:
    failed = sum(result.failure is not None for result in results)
    counts = {"tests": str(len(results)), "failures": str(failed), "errors": "0"}
    seconds = f"{sum(result.seconds for result in results):.3f}"
    suite = ET.SubElement(root, "testsuite", {"name": file, **counts, "time": seconds})
    for result in results:
        about = {"name": clean(result.trial.name), "classname": file, "time": f"{result.seconds:.3f}"}
        case = ET.SubElement(suite, "testcase", {**about, "file": file, "line": str(result.trial.place.line)})
        if result.failure:
            text = clean("\n".join(told(result.failure)))
            ET.SubElement(case, "failure", {"message": text.split("\n")[1]}).text = text


def _missing(missing: Missing) -> Iterator[str]:
    wanted = missing.expected.said.count
    times = "" if wanted == 1 else f" {wanted} times, came {missing.came} times"
    yield f"- expected{times}: {_expected(missing.expected)}"
    for near in missing.nearest[:NEAR]:
        yield from _near(near)


def _near(near: Near) -> Iterator[str]:
    yield from _block("  came near: ", _delivery(near.seen))
    for difference in near.differences:
        yield f"      {difference}"


def _silence(failure: Failure, target: str) -> Iterator[str]:
    """Yield why the events since the last `expect` made nothing for a target."""
    speakers = failure.speakers.get(target, frozenset())
    for each in failure.explanations:
        event = each["event"].get("name") or each["event"]["id"]
        if each["state"] not in {"routed", "unmatched"}:
            yield f"  {event} is {each['state']}: {each['reason']}"
            continue
        lines = refusals(route for route in each["routes"] if route["name"] in speakers)
        yield f"  {event}: {'no route matched' if lines else 'no other route listens to it'} that delivers to {target}"
        yield from (f"    ✗ {line}" for line in lines)
    if not failure.explanations:
        yield "  no event arrived since the last expect"


def _expected(line: Expectation) -> str:
    said = line.said.model_dump(mode="json", include=line.said.model_fields_set - {"count"} - line.wanted.keys())
    return ", ".join(f"{name} {_short(value)}" for name, value in {**said, **line.wanted}.items())


def _delivery(seen: Seen) -> str:
    delivery = seen.delivery
    tries = "" if delivery.attempts == 1 else f" after {delivery.attempts} attempts"
    tried = f"{tries}, {seen.told}" if delivery.attempts else ""
    head = f"to {delivery.target}, {delivery.state}{tried}, "
    reason = f" ({delivery.reason})" if delivery.reason else ""
    content = "\n".join(f"    │ {name}: {_short(value)}" for name, value in (delivery.content or {}).items())
    return f"{head}by {delivery.route}{reason}\n{content}".rstrip()


def _block(title: str, text: str) -> Iterator[str]:
    head, *rest = text.splitlines()
    yield title + head
    yield from rest


def _short(value: Json) -> str:
    return value if isinstance(value, str) else f"{value}"
