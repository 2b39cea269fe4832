from pathlib import Path

import pytest

from bridge.errors import RemoteRefusedError, RemoteUnavailableError
from bridge.options import Secret
from bridge.rdstation.api.keeping import TokenFile, Tokens

TOKENS = Tokens(Secret("acc3ss"), Secret("r3fresh"), 1_800_000_000.5)


def test_what_is_kept_comes_back_and_stands_nowhere_in_clear(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "crm.tokens"
    TokenFile(path, Secret("app")).save(TOKENS)
    assert TokenFile(path, Secret("app")).load() == TOKENS
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"acc3ss" not in path.read_bytes()
    assert b"r3fresh" not in path.read_bytes()


def test_nothing_is_kept_at_first(tmp_path: Path) -> None:
    assert TokenFile(tmp_path / "crm.tokens", Secret("app")).load() is None


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"salt": "AAAA", "tokens": "x"}', b"[]", b"\xff"])
def test_what_does_not_fit_asks_to_sign_in_again(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "crm.tokens"
    TokenFile(path, Secret("another app")).save(TOKENS)
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RemoteRefusedError, match="bridge crm login"):
        TokenFile(path, Secret("app")).load()


def test_a_place_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RemoteUnavailableError, match="cannot be written"):
        TokenFile(tmp_path / "file" / "crm.tokens", Secret("app")).save(TOKENS)
    with pytest.raises(RemoteUnavailableError, match="cannot be read"):
        TokenFile(tmp_path, Secret("app")).load()
