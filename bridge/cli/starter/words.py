"""What ``bridge init`` says and writes, in one language. Both have all of it, or mypy says what is missing."""

from collections.abc import Mapping
from dataclasses import dataclass

SOURCES: Mapping[str, str] = {"rdstation_crm": "RD Station CRM"}
"""The types of source for which there are moments and messages, with their names."""
TARGETS = ("slack", "slack-webhook", "http", "log")
"""The ways to tell, in the order in which they are offered."""


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of one language. Those that are comments in a file stand here without their ``#``."""

    labels: str
    """The language of the CRM's labels."""
    locale: str

    # what is asked
    welcome: str
    only_one: str
    which_source: str
    which_target: str
    targets: Mapping[str, str]
    number: str
    which_moments: str
    numbers: str
    every: str
    channel: str
    url: str
    minimum: str
    timezone: str
    currency: str

    # what was typed wrong
    no_terminal: str
    no_choice: str
    no_moment: str
    no_moments: str
    near: str
    no_amount: str
    no_channel: str
    not_here: str
    no_url: str
    no_timezone: str
    no_currency: str
    no_locale: str
    idle_option: str
    there_already: str

    # what is in routes.yaml
    head: str
    reference: str
    about_defaults: str
    about_sources: str
    about_targets: str
    about_log: str
    about_auth: str
    about_routes: str
    about_match: Mapping[str, str]
    about_minimum: str
    about_thread: str
    about_body: str
    target_names: Mapping[str, str]
    deal: str
    headlines: Mapping[str, str]
    """Of triggers whose description makes no good headline."""

    # what is in .env.example, and at the end
    about_variables: str
    variables: Mapping[str, str]
    written: str
    rules: tuple[str, str]
    example: str
    left: str
    to_set: str
    next: str
    does: Mapping[str, str]
