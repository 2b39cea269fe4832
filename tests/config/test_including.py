"""``include:`` — several files are one set of rules, and each problem stands in its own."""

import os
from pathlib import Path

import pytest

from bridge.config.gathering import MAX_FILES
from bridge.config.including import RulesFiles
from bridge.options import InvalidConfigurationError
from bridge.options.yaml import MAX_BYTES, MAX_VALUES
from tests.support.rules import HEAD, Rules

ROUTE = '- {{name: {0}, on: deal.lost, deliver: [{{to: screen, text: "{{{{ deal.name }}}}"}}]}}\n'


def part(rules: Rules, name: str, *routes: str, more: str = "") -> Path:
    path = rules.path.parent / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(more + ("routes:\n" if routes else "") + "".join(map(ROUTE.format, routes)), "utf-8")
    return path


def write(rules: Rules, include: str, *routes: str) -> None:
    listed = "routes:\n" + "".join(map(ROUTE.format, routes)) if routes else ""
    rules.path.write_text(f"{HEAD}include: {include}\n{listed}", "utf-8")


def names(rules: Rules) -> list[str]:
    return [route.name for route in rules.load().ruleset.routes]


def warned(rules: Rules) -> list[str]:
    texts = [str(each) for each in rules.load().warnings if each.code != "unused-target"]
    return [text.removeprefix(f"{rules.path.parent}/") for text in texts]


def test_the_main_file_comes_first_and_then_the_others_by_their_paths(rules: Rules) -> None:
    part(rules, "routes.d/b.yaml", "b", "b2")
    part(rules, "routes.d/a.yaml", "a")
    part(rules, "late.yaml", "late")
    write(rules, "[routes.d/*.yaml, late.yaml, routes.d/b.yaml]", "main")
    assert names(rules) == ["main", "late", "a", "b", "b2"]


def test_a_part_may_hold_sources_and_targets_of_which_all_routes_know(rules: Rules) -> None:
    part(rules, "a.yaml", "a", more="targets: {more: {type: log}}\nsources: {second: {type: rdstation_crm}}\n")
    write(rules, "a.yaml", "main")
    rules.path.write_text(rules.path.read_text("utf-8").replace("to: screen", "to: more"), "utf-8")
    ruleset = rules.load().ruleset
    assert set(ruleset.targets) == {"sales", "billing", "screen", "more"}
    assert set(ruleset.sources) == {"crm", "second"}


@pytest.mark.parametrize("section", ["sources", "targets", "routes"])
def test_any_section_may_stand_in_parts_alone(rules: Rules, section: str) -> None:
    main = {
        "sources": "sources: {crm: {type: rdstation_crm}}\n",
        "targets": "targets: {screen: {type: log}}\n",
        "routes": f"routes:\n{ROUTE.format('a')}",
    }
    moved = main.pop(section)
    rules.path.write_text(f"version: 1\ninclude: a.yaml\n{''.join(main.values())}", "utf-8")
    part(rules, "a.yaml", more=moved)
    assert names(rules) == ["a"]
    part(rules, "a.yaml", more="{}\n")
    assert rules.problems() == [f'1:1: missing-key: the file needs the key "{section}"']


def test_a_pattern_means_neither_folders_nor_hidden_files_nor_the_file_itself(rules: Rules) -> None:
    part(rules, ".#a.yaml", "locked")
    part(rules, "folder.yaml/x", "inside")
    part(rules, "a.yaml", "a")
    write(rules, '"*.yaml"', "main")
    assert names(rules) == ["main", "a"]


def test_a_part_may_lie_anywhere(rules: Rules, tmp_path: Path) -> None:
    inner = Rules(tmp_path / "inner")
    part(inner, "x.yaml", "x")
    part(rules, "beside.yaml", "beside")
    part(rules, "absolute.yaml", "absolute")
    write(inner, f"[../beside.yaml, {tmp_path}/absolute.yaml, ./x.yaml]")
    assert sorted(names(inner)) == ["absolute", "beside", "x"]


def test_files_of_a_mounted_config_map_are_followed(rules: Rules) -> None:
    """A folder of the moment holds the files; links lead there through a link that is swapped."""
    part(rules, "routes.d/..2026/a.yaml", "old")
    part(rules, "routes.d/..2027/a.yaml", "new")
    folder = rules.path.parent / "routes.d"
    (folder / "..data").symlink_to("..2026")
    (folder / "a.yaml").symlink_to("..data/a.yaml")
    write(rules, "routes.d/*.yaml")
    assert names(rules) == ["old"]
    (folder / "..next").symlink_to("..2027")
    (folder / "..next").replace(folder / "..data")
    assert names(rules) == ["new"]


def test_templates_are_those_beside_the_main_file(rules: Rules) -> None:
    rules.template("x.j2", "{{ deal.name }}")
    part(rules, "team/a.yaml", more="routes: [{name: a, on: deal.lost, deliver: [{to: screen, template: x.j2}]}]")
    write(rules, "team/a.yaml")
    assert names(rules) == ["a"]


def test_what_is_included_without_effect_is_worth_a_warning(rules: Rules) -> None:
    part(rules, "empty.yaml", more="# nothing yet\n")
    write(rules, '[empty.yaml, "none/*.yaml"]', "main")
    assert warned(rules) == [
        "empty.yaml:1:1: empty-file: the file holds nothing; remove it, or what names it",
        'routes.yaml:8:23: no-effect: no file matches "none/*.yaml"',
    ]


def test_a_warning_stands_in_the_file_that_brings_it_about(rules: Rules) -> None:
    part(rules, "a.yaml", "a", more="targets:\n  idle: {type: log}\n")
    write(rules, "a.yaml", "main")
    unused = [each.place for each in rules.load().warnings if '"idle"' in each.message]
    assert [(place.file, place.line, place.column) for place in unused] == [(str(rules.path.parent / "a.yaml"), 2, 3)]


# Limits


def test_all_files_together_may_be_as_large_as_one(rules: Rules) -> None:
    half = "# " + "x" * (MAX_BYTES // 2) + "\n"
    one, two = (part(rules, f"{name}.yaml", name, more=half) for name in ("a", "b"))
    write(rules, '"*.yaml"')
    assert rules.problems() == [f"8:10: too-large: with {two} the rules have more than 1 MiB"]
    one.write_text("# " + "x" * MAX_BYTES)
    with pytest.raises(InvalidConfigurationError) as caught:
        rules.load()
    assert f"{one}:1:1: too-large: the file is larger than 1 MiB" in str(caught.value)


def test_all_files_together_may_hold_as_much_as_one(rules: Rules) -> None:
    values = f"[{'0,' * (MAX_VALUES // 2)}]"
    for name in ("a", "b"):
        part(rules, f"{name}.yaml", more=f"targets: {{{name}: {{type: log, x: {values}}}}}\n")
    write(rules, '"*.yaml"', "main")
    assert any("b.yaml the rules have more than 50000 values" in problem for problem in rules.problems())


def test_there_is_a_limit_to_their_number(rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_FILES > 100
    monkeypatch.setattr("bridge.config.gathering.MAX_FILES", 2)
    for name in "abcd":
        part(rules, f"{name}.yaml", name)
    write(rules, '"*.yaml"')
    assert rules.problems() == [f"8:10: too-large: with {rules.path.parent}/c.yaml the rules have more than 2 files"]


def test_what_is_no_file_is_not_waited_for(rules: Rules) -> None:
    os.mkfifo(rules.path.parent / "pipe.yaml")
    write(rules, "[pipe.yaml]", "main")
    assert rules.problems() == [f"8:11: unreadable-file: {rules.path.parent}/pipe.yaml cannot be read: it is no file"]
    write(rules, '"*.yaml"', "main")
    assert names(rules) == ["main"]


@pytest.mark.parametrize("include", ['"\\0"', '["\\0*", "\\0/*"]', f'"{"x" * 5000}"', '"{x"', '"[a"', "/", ".", '"~"'])
def test_no_path_makes_loading_fail(rules: Rules, include: str) -> None:
    write(rules, include, "main")
    try:
        rules.load()
    except InvalidConfigurationError as error:
        assert {problem.code for problem in error.problems} <= {"unreadable-file", "bad-value"}  # noqa: PT017 (or nothing)


# Revision, and what is watched


def test_the_revision_is_that_of_all_files(rules: Rules) -> None:
    one = part(rules, "routes.d/a.yaml", "a")
    write(rules, "routes.d/*.yaml", "main")
    seen = [rules.load().ruleset.revision]
    one.write_text(one.read_text("utf-8") + "# edited\n", "utf-8")
    seen.append(rules.load().ruleset.revision)
    one.rename(one.with_name("b.yaml"))
    seen.append(rules.load().ruleset.revision)
    part(rules, "routes.d/c.yaml", "c")
    seen.append(rules.load().ruleset.revision)
    assert len(set(seen)) == len(seen)
    assert rules.load().ruleset.revision == seen[-1]


def test_the_files_are_known_as_they_come_and_go(rules: Rules) -> None:
    write(rules, "[routes.d/*.yaml, named.yaml]", "main")
    folder = rules.path.parent
    files = RulesFiles(rules.path)
    assert files.found() == [rules.path, folder / "named.yaml"]
    assert files.folders() == {folder, folder / "routes.d"}
    one = part(rules, "routes.d/a.yaml", "a")
    assert files.found() == [rules.path, folder / "named.yaml", one]
    rules.path.unlink()
    assert one in files.found(), "what cannot be read now may be soon"
    write(rules, '"teams/*/*.yaml"', "main")
    two = part(rules, "teams/x/a.yaml", "a")
    assert files.found() == [rules.path, two]
    assert files.folders() == {folder / "teams", folder / "teams/x"}
