from datetime import timedelta

import click
import pytest

from bridge.cli.quantities import ADDRESS, SHARE, SPAN


@pytest.mark.parametrize(("text", "share"), [("5%", 0.05), ("0%", 0.0), ("100%", 1.0), (" 2.5% ", 0.025), (0.5, 0.5)])
def test_a_share_is_a_percentage(text: object, share: float) -> None:
    assert SHARE.convert(text, None, None) == pytest.approx(share)


@pytest.mark.parametrize("text", ["5", "101%", "-1%", "many%", "%", "nan%", ""])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no share; write one from 0% to 100%"):
        SHARE.convert(text, None, None)


def test_a_span_is_a_time() -> None:
    assert SPAN.convert("90s", None, None) == timedelta(seconds=90)
    assert SPAN.convert(timedelta(1), None, None) == timedelta(1)
    with pytest.raises(click.BadParameter, match="write a duration"):
        SPAN.convert("soon", None, None)


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:8090", ("127.0.0.1", 8090)), ("[::1]:0", ("::1", 0)), ("localhost:65535", ("localhost", 65535))],
)
def test_an_address_is_host_and_port(text: str, address: tuple[str, int]) -> None:
    assert ADDRESS.convert(text, None, None) == address
    assert ADDRESS.convert(address, None, None) == address


@pytest.mark.parametrize("text", ["8090", ":8090", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "a:b", "a:²"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no address; write host and port"):
        ADDRESS.convert(text, None, None)
