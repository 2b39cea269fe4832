"""``bridge restore``."""

from pathlib import Path

import click

from bridge.cli import options, screen


@click.command(short_help="Put a backup in place, when no daemon runs.")
@click.argument("folder", type=options.FOLDER)
@click.option("--yes", is_flag=True, help="Put it in the place of what is stored now.")
@options.data
@options.output
def command(folder: Path, data: Path, form: str, *, yes: bool) -> None:
    """Put the backup in FOLDER into the data directory, after checking it. No daemon may run there.

    Where something is stored already, nothing is done without --yes. The backup itself stays as it is.
    """
    from bridge.app.backup import restore
    from bridge.options.quantity import size_written

    copied = restore(folder, data, replace=yes)
    if form == "json":
        screen.dump({"data": str(data), "events": copied.events, "bytes": copied.size})
        return
    screen.say(f"{data}  {screen.counted(copied.events, 'event')}, {size_written(copied.size)}, checked")
