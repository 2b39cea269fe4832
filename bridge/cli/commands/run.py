"""``bridge run``."""

from pathlib import Path

import click

from bridge.cli import options
from bridge.cli.garbage import unswept


@click.command(short_help="Start the daemon.")
@click.option("--routes", type=options.FILE, help="The rules.  [BRIDGE_ROUTES; default: routes.yaml]")
@click.option("--data", type=options.FOLDER, help="The data directory.  [BRIDGE_DATA; default: data]")
@click.option("--listen", help="Where to take webhooks.  [BRIDGE_LISTEN; default: 127.0.0.1:8080]")
@click.pass_context
def command(ctx: click.Context, *, routes: Path | None, data: Path | None, listen: str | None) -> None:
    """Start the daemon: receive webhooks and deliver, until a signal ends it.

    Everything else that can be set comes from variables named BRIDGE_*.
    """
    with unswept():
        from bridge.app.process import run
        from bridge.app.settings import load_settings

    given = {"routes": routes, "data": data, "listen": listen}
    settings = load_settings(**{name: value for name, value in given.items() if value is not None})
    ctx.exit(run(settings))
