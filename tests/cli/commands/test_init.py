"""``bridge init`` as people and scripts call it."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bridge.cli.main import bridge
from bridge.cli.starter.english import ENGLISH
from bridge.cli.starter.portuguese import PORTUGUESE
from bridge.cli.starter.questions import Given, Interview
from bridge.cli.starter.words import SOURCES

ENVIRON = {"LC_ALL": "", "LC_MESSAGES": "", "LANG": "en_US.UTF-8"}
PT = {**ENVIRON, "LANG": "pt_BR.UTF-8"}


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who types what the runner is given."""
    monkeypatch.setattr("bridge.cli.starter.questions.on_terminal", lambda: True)


def init(runner: CliRunner, *arguments: str, typed: str = "", env: dict[str, str] = ENVIRON) -> Result:
    return runner.invoke(bridge, ["init", *arguments], input=typed, env=env)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def check(runner: CliRunner, *arguments: str, **environ: str) -> Result:
    return runner.invoke(bridge, ["check", "--strict", *arguments], env=environ)


def test_with_yes_it_asks_nothing_and_what_it_writes_passes_check(folder: Path, runner: CliRunner) -> None:
    result = init(runner, "--yes")
    assert (result.exit_code, result.stderr) == (0, "")
    assert names(folder) == ["routes.yaml"]
    assert check(runner).exit_code == 0
    text = (folder / "routes.yaml").read_text(encoding="utf-8")
    assert re.findall(r"^ +on: (\S+)$", text, re.MULTILINE) == ["deal.lost", "deal.won", "deal.stage_changed"]
    assert "    match:" not in text


def test_it_tells_what_it_wrote_and_what_to_call_next(runner: CliRunner) -> None:
    result = init(runner, "--yes", "--moment", "task.created")
    assert result.stdout.startswith("Done:\n  routes.yaml  1 rule\n\nAnd then:\n")
    for call in ("bridge check", "bridge run", "bridge send task.created"):
        assert call in result.stdout
    assert "set these" not in result.stdout


def test_secrets_are_variables_that_an_example_lists(folder: Path, runner: CliRunner) -> None:
    result = init(runner, "--yes", "--target", "slack")
    listed = re.findall(r"^(\w+)=$", (folder / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == ["SLACK_BOT_TOKEN", "SLACK_CHANNEL"]
    assert all(name in result.stdout for name in listed)
    assert check(runner).exit_code == 1
    assert check(runner, SLACK_BOT_TOKEN="xoxb-1", SLACK_CHANNEL="C1").exit_code == 0


def test_options_answer_every_question(folder: Path, runner: CliRunner) -> None:
    options = ["--target", "http", "--url", "https://x.example", "--moment", "deal.lost", "--moment", "contact.updated"]
    region = ["--minimum", "5,000", "--timezone", "America/Manaus", "--currency", "usd", "--locale", "pt-BR"]
    result = init(runner, "--yes", "--language", "en", "--source", "rdstation_crm", *options, *region)
    assert result.exit_code == 0
    text = (folder / "routes.yaml").read_text(encoding="utf-8")
    wanted = ['"https://x.example"', "{gte: 5000}", '"America/Manaus"', '"USD"', '"pt-BR"', "on: contact.updated"]
    assert [each for each in wanted if each not in text] == []
    assert not (folder / ".env.example").exists()
    assert check(runner).exit_code == 0


def test_a_folder_is_made_and_told_how_to_reach(folder: Path, runner: CliRunner) -> None:
    result = init(runner, "new/our rules", "--yes")
    assert result.exit_code == 0
    assert "  cd 'new/our rules'\n" in result.stdout
    assert check(runner, "new/our rules/routes.yaml").exit_code == 0
    assert names(folder) == ["new"]


@pytest.mark.usefixtures("folder")
def test_variables_are_filled_in_in_the_folder_before_anything_is_called_there(runner: CliRunner) -> None:
    steps = init(runner, "new", "--yes", "--target", "slack").stdout.partition("And then:\n")[2].splitlines()
    told = [step.split("   ")[0].strip() for step in steps]
    assert told[:3] == ["cd new", "cp -n .env.example .env", "set -a; . ./.env; set +a"]
    assert told[3].endswith(" check")
    assert ".env" not in init(runner, "other", "--yes", "--target", "log").stdout


@pytest.mark.parametrize("link", [True, False])
def test_rules_that_are_there_stay_as_they_are(folder: Path, runner: CliRunner, *, link: bool) -> None:
    path = folder / "routes.yaml"
    path.symlink_to("nowhere") if link else path.write_text("mine", encoding="utf-8")
    result = init(runner, "--yes")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("bridge: routes.yaml is there already, and stays as it is.")
    assert link or path.read_text(encoding="utf-8") == "mine"
    assert not (folder / ".env.example").exists()


def test_force_writes_over_rules_but_over_no_example(folder: Path, runner: CliRunner) -> None:
    (folder / "routes.yaml").write_text("mine", encoding="utf-8")
    (folder / ".env.example").write_text("mine too", encoding="utf-8")
    result = init(runner, "--yes", "--force", "--target", "slack-webhook")
    assert result.exit_code == 0
    assert ".env.example  was there already, and stays as it is\n" in result.stdout
    assert (folder / ".env.example").read_text(encoding="utf-8") == "mine too"
    assert check(runner, SLACK_WEBHOOK_URL="https://hooks.slack.com/x").exit_code == 0


def test_rules_that_appear_meanwhile_stay_too(folder: Path, runner: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "routes.yaml").write_text("mine", encoding="utf-8")
    monkeypatch.setattr("bridge.cli.starter.writing.is_there", lambda _: False)
    result = init(runner, "--yes")
    assert result.exit_code == 1
    assert "is there already" in result.stderr
    assert (folder / "routes.yaml").read_text(encoding="utf-8") == "mine"


def test_a_place_that_cannot_be_written_is_told(folder: Path, runner: CliRunner) -> None:
    (folder / "file").touch()
    result = init(runner, "file/below", "--yes")
    assert (result.exit_code, result.stderr) == (1, "bridge: file/below: Not a directory\n")


@pytest.mark.parametrize(("env", "sentence"), [(ENVIRON, "there is no terminal"), (PT, "não há terminal")])
def test_without_a_terminal_it_says_what_to_pass(
    folder: Path, runner: CliRunner, env: dict[str, str], sentence: str
) -> None:
    result = init(runner, "--target", "log", env=env)
    assert (result.exit_code, result.stdout) == (2, "")
    assert sentence in result.stderr
    for option in ("--yes", "--target slack|slack-webhook|http|log", "--moment deal.lost", "--channel", "--url"):
        assert option in result.stderr
    assert names(folder) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--moment", "deal.lots"], '--moment: there is no moment "deal.lots"; did you mean "deal.lost"?'),
        (["--minimum", "much"], "--minimum: write an amount"),
        (["--minimum", "5", "--moment", "deal.won"], "--minimum has no effect here: it goes with --moment deal.lost"),
        (["--channel", "C1"], "--channel has no effect here: it goes with --target slack"),
        (["--url", "https://x.example", "--target", "slack"], "--url has no effect here: it goes with --target http"),
        (["--target", "slack", "--channel", "xoxb-1"], "--channel: this looks like a token"),
        (["--target", "http", "--url", "x"], "--url: write a whole address"),
        (["--timezone", "Manaus"], "--timezone: there is no timezone"),
        (["--currency", "X"], "--currency: there is no currency"),
        (["--locale", "xx-XX"], "--locale: there is no locale"),
        (["--target", "fax"], "'fax' is not one of"),
    ],
)
def test_an_answer_that_cannot_be_used_is_misuse(
    folder: Path, runner: CliRunner, arguments: list[str], sentence: str
) -> None:
    result = init(runner, "--yes", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert sentence in result.stderr
    assert names(folder) == []


@pytest.mark.usefixtures("terminal")
def test_enter_to_every_question_gives_the_defaults(folder: Path, runner: CliRunner) -> None:
    result = init(runner, typed="\n" * 5)
    assert result.exit_code == 0
    assert "RD Station CRM (the only one so far)" in result.stderr
    asked = (folder / "routes.yaml").read_text(encoding="utf-8")
    assert init(runner, "--yes", "--force").exit_code == 0
    assert (folder / "routes.yaml").read_text(encoding="utf-8") == asked


@pytest.mark.usefixtures("terminal")
def test_a_conversation_in_portuguese(folder: Path, runner: CliRunner) -> None:
    typed = [
        "9",
        "1",
        "xoxb-1",
        "#vendas",
        "C0123VENDAS",
        "deal.lots",
        "1, 9",
        "5k",
        "R$ 5.000",
        "america/manaus",
        "",
        "brl",
    ]
    result = init(runner, typed="\n".join([*typed, ""]), env=PT)
    assert result.exit_code == 0
    refusals = [line.strip() for line in result.stderr.splitlines() if line.startswith("  ") and '"' in line]
    assert refusals == [
        'escolha um número de 1 a 4, e não "9"',
        'não existe a mudança "deal.lots"; seria "deal.lost"?',
        'escreva um valor como 5000, 5.000 ou 5.000,00, e não "5k"',
        'não existe o fuso horário "america/manaus"; seria "America/Manaus"?',
    ]
    assert "isso parece um token" in result.stderr
    text = (folder / "routes.yaml").read_text(encoding="utf-8")
    assert "escreva o ID do canal" in result.stderr
    assert 'channel: "C0123VENDAS"' in text
    assert "- name: tarefa-concluida\n    on: task.completed" in text
    assert "amount_total: {gte: 5000}" in text
    assert "SLACK_CHANNEL" not in text + result.stdout
    assert check(runner, SLACK_BOT_TOKEN="xoxb-1").exit_code == 0


@pytest.mark.usefixtures("terminal")
def test_what_options_answer_is_not_asked(runner: CliRunner) -> None:
    result = init(runner, "--target", "http", "--moment", "task.created", "--timezone", "UTC", typed="\n\n")
    assert result.exit_code == 0
    for question in (ENGLISH.which_target, ENGLISH.which_moments, ENGLISH.timezone, "losses"):
        assert question not in result.stderr
    assert "${HTTP_URL}" in result.stderr


@pytest.mark.usefixtures("terminal")
def test_somebody_who_gives_up_finds_nothing_written(folder: Path, runner: CliRunner) -> None:
    result = init(runner, typed="1\n")
    assert result.exit_code == 1
    assert names(folder) == []


def test_several_sources_would_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.cli.starter.questions.SOURCES", {**SOURCES, "other_crm": "Another"})
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: "2")
    interview = Interview(
        PORTUGUESE, Given(None, "log", None, None, ("deal.won",), None, None, "UTC", "BRL"), asks=True
    )
    assert interview.hold().source == "other_crm"


def test_the_languages_have_the_same_choices() -> None:
    for name in ("targets", "target_names", "about_match", "variables", "does"):
        english, portuguese = getattr(ENGLISH, name), getattr(PORTUGUESE, name)
        assert list(english) == list(portuguese)
