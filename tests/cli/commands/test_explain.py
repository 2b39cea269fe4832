import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.cli.main import bridge
from bridge.model import DeliveryState, Event, Link, Outcome
from bridge.store.nouns import Retention
from tests.support.background import BackgroundShop
from tests.support.deals import Deal
from tests.support.shop import RULES, THREADED, Shop

STRICT = RULES.replace("gte: 5000", "gte: 99000")


@pytest.fixture(autouse=True)
def _rules(folder: Path) -> None:
    (folder / "routes.yaml").write_text(RULES, encoding="utf-8")


async def a_loss(shop: Shop) -> list[Event]:
    deal = Deal("d1")
    return await shop.receive(deal.created(), deal.lost(), deal.reopened())


async def a_loss_long_ago(shop: Shop) -> list[Event]:
    events, now = await a_loss(shop), shop.clock.now()
    for delivery in [each for event in events for each in await shop.deliveries(event)]:
        await shop.attempt(delivery.target, Outcome.DELIVERED, DeliveryState.DELIVERED)
    assert (await shop.store.prune(Retention(events=now - timedelta(days=1), bodies=now))).bodies == 2
    return events


async def an_open_deal(shop: Shop) -> list[Event]:
    return await shop.receive(Deal("d1").created())


def write(folder: Path, body: object) -> str:
    (folder / "event.json").write_text(json.dumps(body), encoding="utf-8")
    return "event.json"


def test_a_sample_needs_neither_daemon_nor_data(runner: CliRunner, folder: Path) -> None:
    result = runner.invoke(bridge, ["explain", "deal.lost"])
    assert result.exit_code == 0
    assert "✓ losses" in result.stdout
    assert "→ sales" in result.stdout
    assert "│ Padaria Estrela: plano anual lost: Preço acima do orçamento" in result.stdout
    assert "other routes listen to something else: people" in result.stdout
    assert not (folder / "data").exists()


def test_the_matcher_that_said_no_is_shown_with_what_it_wanted_and_saw(runner: CliRunner) -> None:
    result = runner.invoke(bridge, ["explain", "deal.lost", "--set", "document.amount_total=4999"])
    assert result.exit_code == 0
    assert "✗ losses does not match" in result.stdout
    assert "✗ amount_total ≥ 5000  saw 4999" in result.stdout
    assert '✓ status to "lost"  saw "ongoing" → "lost"' in result.stdout


def test_a_file_is_a_first_sight_without_data(runner: CliRunner, folder: Path) -> None:
    file = write(folder, Deal().lost(closed_at="2025-01-10T10:00:00.000-03:00"))
    result = runner.invoke(bridge, ["explain", file])
    assert "first sight" in result.stdout
    assert "unmatched" in result.stdout


def test_a_file_is_compared_with_what_the_store_knows(shop: BackgroundShop, runner: CliRunner, folder: Path) -> None:
    (created,) = shop.do(an_open_deal)
    lost = Deal("d1")
    lost.created()
    result = runner.invoke(bridge, ["explain", write(folder, lost.lost(closed_at=None))])
    assert f"compared with {created.id}" in result.stdout
    assert 'status: "ongoing" → "lost"' in result.stdout
    assert "✓ losses" in result.stdout


def test_of_a_late_or_repeated_event_the_reason_is_all_that_is_said(
    shop: BackgroundShop, runner: CliRunner, folder: Path
) -> None:
    async def two(shop: Shop) -> list[Event]:
        return await shop.receive(Deal("d1").created(), body)

    deal = Deal("d1")
    late, body = deal.updated(rating=1), deal.updated(rating=2)
    shop.do(two)
    for sent, told in (
        (late, "stale\n  a newer document of the entity came before\n"),
        (body, "duplicate\n  the same change was announced before\n"),
    ):
        shown = runner.invoke(bridge, ["explain", write(folder, sent)]).stdout
        assert shown == f"crm_deal_updated  deal:d1  {told}"


def test_a_creation_that_is_known_is_explained_as_the_repetition_that_it_is(
    shop: BackgroundShop, runner: CliRunner, folder: Path
) -> None:
    shop.do(an_open_deal)
    answer = json.loads(
        runner.invoke(bridge, ["explain", write(folder, Deal("d1").created()), "--format", "json"]).stdout
    )
    assert (answer["state"], answer["reason"]) == ("duplicate", "its creation was announced before")


def test_stdin_is_read_for_a_dash(shop: BackgroundShop, runner: CliRunner) -> None:
    shop.do(an_open_deal)
    shop.serve()
    result = runner.invoke(bridge, ["explain", "-", "--format", "json"], input=json.dumps(Deal("d1").lost()))
    answer = json.loads(result.stdout)
    assert answer["state"] == "routed"
    assert answer["compared_with"]


@pytest.mark.parametrize("served", [False, True])
def test_a_stored_event_is_compared_with_what_preceded_it(
    shop: BackgroundShop, runner: CliRunner, *, served: bool
) -> None:
    created, lost, _ = shop.do(a_loss)
    if served:
        shop.serve()
    answer = json.loads(runner.invoke(bridge, ["explain", lost.id, "--format", "json"]).stdout)
    assert (answer["event"]["id"], answer["compared_with"], answer["state"]) == (lost.id, created.id, "routed")


@pytest.mark.parametrize("served", [False, True])
def test_an_event_whose_body_is_not_kept_any_more_is_not_explained(
    shop: BackgroundShop, runner: CliRunner, *, served: bool
) -> None:
    created, *_ = shop.do(a_loss_long_ago)
    if served:
        shop.serve()
    result = runner.invoke(bridge, ["explain", created.id])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "bridge: its body is not kept any more: see BRIDGE_KEEP_BODIES" in result.stderr
    assert "body\n  not kept any more\n" in runner.invoke(bridge, ["events", created.id]).stdout


def test_the_daemons_rules_decide_unless_a_file_is_named(shop: BackgroundShop, runner: CliRunner) -> None:
    created, lost, _ = shop.do(a_loss)
    shop.serve()
    (shop.folder / "strict.yaml").write_text(STRICT, encoding="utf-8")
    (shop.folder / "routes.yaml").write_text("not rules at all", encoding="utf-8")
    assert "✓ losses" in runner.invoke(bridge, ["explain", lost.id]).stdout
    mine = json.loads(runner.invoke(bridge, ["explain", lost.id, "--routes", "strict.yaml", "--format", "json"]).stdout)
    assert (mine["state"], mine["compared_with"]) == ("unmatched", created.id)
    lost_again = ["explain", "deal.lost", "--set", "document.id=d1", "--routes", "strict.yaml"]
    assert "✗ amount_total ≥ 99000" in runner.invoke(bridge, lost_again).stdout


@pytest.mark.usefixtures("daemon")
def test_the_daemon_is_told_what_comes_before_a_trigger(runner: CliRunner) -> None:
    result = runner.invoke(bridge, ["explain", "deal.lost"])
    assert "compared with what came before it" in result.stdout
    assert "✓ losses" in result.stdout


def test_a_when_that_said_no_is_shown(runner: CliRunner, folder: Path) -> None:
    rules = RULES.replace("    match: {amount", "    when: deal.rating > 99\n    match: {amount")
    (folder / "routes.yaml").write_text(rules, encoding="utf-8")
    result = runner.invoke(bridge, ["explain", "deal.lost"])
    assert "✗ losses does not match" in result.stdout
    assert "✗ when deal.rating > 99" in result.stdout


def test_a_message_that_cannot_be_rendered_is_exit_code_1(runner: CliRunner, folder: Path) -> None:
    rules = RULES.replace("{{ deal.name }} lost", "{{ 1 / (deal.amount_total - deal.amount_total) }} lost")
    (folder / "routes.yaml").write_text(rules, encoding="utf-8")
    result = runner.invoke(bridge, ["explain", "deal.lost"])
    assert result.exit_code == 1
    assert "division by zero" in result.stdout
    assert "→ billing" in result.stdout


TROUBLE = """
  - name: trouble
    on: bridge.*
    deliver:
      - {to: sales, text: "{{ event.entity_id }} {{ event.first_sight }}"}
"""


def test_what_bridge_tells_of_itself_is_explained_by_name(runner: CliRunner, folder: Path) -> None:
    (folder / "routes.yaml").write_text(RULES + TROUBLE.lstrip("\n"), encoding="utf-8")
    paused = runner.invoke(bridge, ["explain", "bridge.target_paused", "--set", "id=billing"])
    assert paused.exit_code == 0
    assert "✓ trouble" in paused.stdout
    assert "│ billing true" in paused.stdout
    resumed = runner.invoke(bridge, ["explain", "bridge.target_resumed"])
    assert "│ vendas false" in resumed.stdout


def test_the_daemon_explains_what_bridge_tells_of_itself(shop: BackgroundShop, runner: CliRunner, folder: Path) -> None:
    (folder / "routes.yaml").write_text(RULES + TROUBLE.lstrip("\n"), encoding="utf-8")
    asked = ["explain", "bridge.target_resumed", "--format", "json"]
    offline = json.loads(runner.invoke(bridge, asked).stdout)
    shop.serve()
    online = json.loads(runner.invoke(bridge, asked).stdout)
    assert [route["matched"] for route in offline["routes"]] == [False, False, True]
    assert [route["matched"] for route in online["routes"]] == [False, False], "these are its rules"
    assert online["event"]["source"] == offline["event"]["source"] == "bridge"


def test_a_body_that_is_no_event_is_exit_code_1(runner: CliRunner, folder: Path) -> None:
    result = runner.invoke(bridge, ["explain", write(folder, {"event_type": "WEBHOOK.CONVERTED", "contact": {}})])
    assert result.exit_code == 1
    assert "quarantined" in result.stdout
    assert "Marketing" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["deal.lots"], 2, 'did you mean "deal.lost"?'),
        (["none.json"], 2, "none.json cannot be read"),
        (["evt_none"], 1, "nothing is stored in data"),
        (["deal.lost", "--source", "none"], 2, "name the source with --source; there are: crm"),
        (["deal.lost", "--routes", "none.yaml"], 1, "none.yaml:1:1: unreadable-file"),
        (["deal.lost", "--set", "x"], 2, "sets nothing"),
    ],
)
def test_what_cannot_be_explained_is_told(runner: CliRunner, arguments: list[str], code: int, message: str) -> None:
    result = runner.invoke(bridge, ["explain", *arguments])
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr


@pytest.mark.usefixtures("daemon")
async def a_thread(shop: Shop) -> Event:
    (lost,) = await shop.receive(Deal("d1").lost())
    thread = Link("chat", "deal:d1", "1700000000.0001", {"channel": "C1"})
    await shop.attempt("chat", Outcome.DELIVERED, DeliveryState.DELIVERED, links=(thread,))
    return lost


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("served", [False, True])
def test_a_message_that_answers_to_what_was_made_before_is_shown_with_it(
    folder: Path, runner: CliRunner, *, served: bool, own: bool
) -> None:
    (folder / "routes.yaml").write_text(THREADED, encoding="utf-8")
    with closing(BackgroundShop(folder, THREADED)) as shop:
        lost = shop.do(a_thread)
        if served:
            shop.serve()
        told = runner.invoke(bridge, ["explain", lost.id, *(["--routes", "routes.yaml"] if own else [])]).stdout
        assert told.count("goes to what was made before: ") == 1
        assert "  → chat  key deal:d1\n    goes to what was made before: 1700000000.0001, channel C1\n" in told


LATER = """\
version: 1
sources:
  crm: {type: rdstation_crm}
targets:
  sales: {type: log}
routes:
  - name: losses
    on: deal.lost
    digest: {at: "18:00", by: "{{ deal.deal_pipeline.name }}"}
    deliver:
      - {to: sales, text: "{{ items | map(attribute='deal.name') | join(', ') }}", unless: deal.won}
  - name: stuck
    on: crm_deal_updated
    deliver:
      - {to: sales, text: "{{ deal.name }} rests", delay: 3d, unless: [deal.lost, deal.won]}
"""


async def two_losses(shop: Shop) -> Event:
    *_, last = await shop.receive(Deal("d1", "Um").lost(), Deal("d2", "Dois").lost())
    return last


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("served", [False, True])
def test_a_digest_is_shown_with_what_waits_for_it(folder: Path, runner: CliRunner, *, served: bool, own: bool) -> None:
    (folder / "routes.yaml").write_text(LATER, encoding="utf-8")
    with closing(BackgroundShop(folder, LATER)) as shop:
        last = shop.do(two_losses)
        if served:
            shop.serve()
        told = runner.invoke(bridge, ["explain", last.id, *(["--routes", "routes.yaml"] if own else [])]).stdout
    assert "  calls off what stuck holds of it for sales: nothing\n" in told
    assert '    in the digest "Funil Padrão" of 20' in told
    assert "18:00:00, with 1 more that waits for it\n    unless deal.won comes first\n    │ Um, Dois\n" in told


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("served", [False, True])
def test_what_an_event_called_off_is_named(folder: Path, runner: CliRunner, *, served: bool, own: bool) -> None:
    async def history(shop: Shop) -> tuple[Event, str]:
        deal = Deal("d1", "Um")
        moved, lost = await shop.receive(deal.moved("A", 1), deal.lost())
        [held] = [each.id for each in await shop.deliveries(moved) if each.route == "stuck"]
        return lost, held

    (folder / "routes.yaml").write_text(LATER, encoding="utf-8")
    with closing(BackgroundShop(folder, LATER)) as shop:
        lost, held = shop.do(history)
        if served:
            shop.serve()
        told = runner.invoke(bridge, ["explain", lost.id, *(["--routes", "routes.yaml"] if own else [])]).stdout
    assert f"  calls off what stuck holds of it for sales: {held}\n" in told


def test_without_data_a_message_is_told_later_by_itself(folder: Path, runner: CliRunner) -> None:
    (folder / "routes.yaml").write_text(LATER, encoding="utf-8")
    told = runner.invoke(bridge, ["explain", "deal.stage_changed"]).stdout
    assert "    after its delay, 20" in told
    assert (
        " at present\n    unless deal.lost or deal.won comes first\n    │ Padaria Estrela: plano anual rests\n" in told
    )
    assert "the first that is to be told in it" in runner.invoke(bridge, ["explain", "deal.lost"]).stdout


def test_explaining_shows_no_secret(runner: CliRunner) -> None:
    for arguments in (["deal.lost"], ["deal.lost", "--format", "json"], ["deal.lost", "--routes", "routes.yaml"]):
        output = runner.invoke(bridge, ["explain", *arguments]).output
        assert "s3cret" not in output
        assert "t0ken" not in output
