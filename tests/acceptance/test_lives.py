"""No target that keeps things up to date goes without the life of a deal, and a kill beside its service."""

from importlib import import_module

import pytest

from bridge.component.discovery import target_types
from tests.support import life
from tests.support.chats import DiscordChannel, SlackChannel, TelegramGroup

CHATS = {kind().target()["type"] for kind in (SlackChannel, DiscordChannel, TelegramGroup)}
"""They share the lives of `test_chats`."""


@pytest.mark.parametrize("name", [name for name, kind in target_types().items() if "upserts" in vars(kind)])
def test_each_target_that_keeps_things_up_to_date_lives_through_thirty_webhooks_and_a_kill(name: str) -> None:
    module = import_module(f"tests.acceptance.test_{'chats' if name in CHATS else name}")
    assert (module.live, module.outlived) == (life.live, life.outlived)
