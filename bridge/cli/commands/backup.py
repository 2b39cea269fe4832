"""``bridge backup``."""

from pathlib import Path

import click

from bridge.cli import options, screen


@click.command(short_help="Copy the data directory, beside a running daemon.")
@click.argument("folder", type=options.FOLDER)
@options.data
@options.output
def command(folder: Path, data: Path, form: str) -> None:
    """Copy events, deliveries and made secrets into a new FOLDER, and check the copy; a daemon may go on running.

    All that was acknowledged before is in it. FOLDER is itself a data directory, readable by its owner alone, and
    appears once it is whole. The rules are files of yours, and not in it.
    """
    from bridge.app.backup import back_up
    from bridge.options.quantity import size_written

    copied = back_up(data, folder)
    if form == "json":
        screen.dump({"folder": str(folder), "events": copied.events, "bytes": copied.size})
        return
    screen.say(f"{folder}  {screen.counted(copied.events, 'event')}, {size_written(copied.size)}, checked")
