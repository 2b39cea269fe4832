"""``bridge simulate``."""

import asyncio
from datetime import timedelta
from typing import Any

import click

from bridge.cli.quantities import ADDRESS, SHARE, SPAN

MANY = click.IntRange(min=0)
FAST = click.FloatRange(min=0, min_open=True)


@click.command(short_help="Be a CRM to try bridge against.")
@click.option("--listen", type=ADDRESS, default="127.0.0.1:8090", show_default=True, help="Where both APIs are.")
@click.option("--post-to", metavar="URL", help="Register this address for every event; bridge address tells it.")
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Whose life is told: the same seed, the same life."
)
@click.option("--deals", type=MANY, default=40, show_default=True, help="About how many deals are open.")
@click.option("--events-per-hour", type=FAST, default=600, show_default=True, help="How much happens.")
@click.option("--speed", type=FAST, default=1, show_default=True, help="Virtual seconds in a real one.")
@click.option("--duplicates", type=SHARE, default="5%", show_default=True, help="Posted again under other uuids.")
@click.option("--reordered", type=SHARE, default="5%", show_default=True, help="Posted some seconds late.")
@click.option("--updated-after-created", is_flag=True, help="Post a new deal as an update too, with the same uuid.")
@click.option("--deadline", type=SPAN, default="5s", show_default=True, help="In which a webhook is answered.")
@click.option("--retries", type=MANY, default=5, show_default=True, help="Of a webhook that failed.")
@click.option(
    "--retry-spacing", type=SPAN, default="1m", show_default=True, help="Before the first; then twice as much."
)
@click.option("--suspend-after", type=click.IntRange(min=1), default=50, show_default=True, help="Failures in a row.")
@click.option("--no-probe", "probe", is_flag=True, flag_value=False, default=True, help="Register without asking.")
@click.option("--token", default="simulated", show_default=True, help="Of API v1.")
@click.option("--client-id", default="simulated", show_default=True, help="Of an application for API v2.")
@click.option("--client-secret", default="simulated", show_default=True, help="Of the application.")
@click.option("--requests-per-minute", type=MANY, default=120, show_default=True, help="0 for any number.")
@click.option("--ceiling", type=MANY, default=10_000, show_default=True, help="Records of a list that can be reached.")
@click.option("--errors", type=SHARE, default="0%", show_default=True, help="Requests answered by a 500 in HTML.")
@click.option("--unsteady", type=SHARE, default="0%", show_default=True, help="Rows that lists of v2 misplace.")
@click.option(
    "--no-tasks-by-time", "tasks_by_time", is_flag=True, flag_value=False, default=True, help="Break on such a filter."
)
@click.option("--quiet", is_flag=True, help="Print no line for each thing that happens.")
def command(*, listen: tuple[str, int], post_to: str | None, quiet: bool, deadline: timedelta, **given: Any) -> None:  # noqa: ANN401 (click names them, and their types)
    """Be RD Station CRM: a small sales team that works by itself, both of its APIs, and the webhooks it posts.

    Nothing of it is real, and nothing leaves this machine but what is posted to addresses that are registered.
    """
    from bridge.cli.simulating import simulate
    from bridge.simulator import SimulatorSettings

    settings = SimulatorSettings(deadline=deadline.total_seconds(), **given)
    asyncio.run(simulate(settings, listen, post_to, quiet=quiet))
