"""``bridge crm``: a group of commands, each in a module of its own."""

import click

from bridge.cli.crm import login, repair, status, webhooks


@click.group(short_help="Use the CRM's API: connect it, see to webhooks and gaps.")
def command() -> None:
    """Use the CRM's own API, which `api` of the source opens in the rules.

    While a daemon runs, it is the one that asks.
    """


command.add_command(login.command, "login")
command.add_command(status.command, "status")
command.add_command(webhooks.command, "webhooks")
command.add_command(repair.repair, "repair")
command.add_command(repair.import_, "import")
