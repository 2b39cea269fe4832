"""Which secrets open which source, and the ones that bridge makes itself."""

from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict

from bridge.component import AnySource
from bridge.errors import SettingsError
from bridge.ingest import secretbook
from bridge.ingest.secretbook import SecretBook
from bridge.sources.rdstation_crm import RdStationCrm, RdStationCrmOptions


def source(name: str, **options: Any) -> AnySource:
    return RdStationCrm(name, RdStationCrmOptions.model_validate(options))


def book(data: Path, *sources: AnySource) -> SecretBook:
    made = SecretBook(data)
    made.adopt({each.name: each for each in sources})
    return made


def test_a_source_that_names_no_secret_gets_one_that_lasts(tmp_path: Path) -> None:
    made = book(tmp_path, source("crm")).made("crm")
    assert made is not None
    assert len(made) == 43, "256 bits"
    assert book(tmp_path, source("crm")).made("crm") == made, "also after a restart"
    assert book(tmp_path, source("crm")).admits("crm", made)


def test_each_source_gets_its_own(tmp_path: Path) -> None:
    both = book(tmp_path, source("crm"), source("other"))
    assert both.made("crm") != both.made("other")
    assert not both.admits("crm", both.made("other") or "")


def test_a_made_secret_is_for_its_owner_alone(tmp_path: Path) -> None:
    book(tmp_path / "data", source("crm"))
    folder = tmp_path / "data" / "secrets"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in folder.iterdir()] == ["crm"], "no draft stays behind"
    assert (folder / "crm").stat().st_mode & 0o777 == 0o600


def test_a_draft_that_a_crash_left_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / ".crm").write_text("half")
    (tmp_path / "secrets" / ".crm").chmod(0o644)
    made = book(tmp_path, source("crm")).made("crm")
    assert made != "half"
    assert (tmp_path / "secrets" / "crm").stat().st_mode & 0o777 == 0o600


def test_an_empty_file_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "crm").write_text("\n")
    made = book(tmp_path, source("crm")).made("crm")
    assert made
    assert (tmp_path / "secrets" / "crm").read_text() == made


@pytest.mark.parametrize(
    "options", [{"secrets": ["named"]}, {"auth_header": "X-Key", "auth_key": "k"}], ids=["secret", "header"]
)
def test_a_source_that_names_its_own_gets_none(tmp_path: Path, options: dict[str, Any]) -> None:
    assert book(tmp_path, source("crm", **options)).made("crm") is None
    assert not (tmp_path / "secrets").exists()


def test_a_made_secret_comes_back_when_the_rules_name_none_again(tmp_path: Path) -> None:
    kept = book(tmp_path, source("crm"))
    made = kept.made("crm") or ""
    kept.adopt({"crm": source("crm", secrets=["named"])})
    assert not kept.admits("crm", made)
    assert kept.admits("crm", "named")
    kept.adopt({"crm": source("crm")})
    assert kept.admits("crm", made)
    assert not kept.admits("crm", "named")


def test_a_secret_that_cannot_be_kept_is_an_error_that_names_the_file_and_changes_nothing(tmp_path: Path) -> None:
    kept = book(tmp_path, source("crm", secrets=["named"]))
    (tmp_path / "secrets").write_text("in the way")
    with pytest.raises(SettingsError, match=r"secret of source 'new' cannot be kept in .*secrets/new"):
        kept.adopt({"new": source("new")})
    assert kept.admits("crm", "named")


def test_a_file_that_holds_no_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "crm").write_bytes(b"\xff\xff")
    with pytest.raises(SettingsError):
        book(tmp_path, source("crm"))


def test_every_accepted_secret_is_compared_whatever_the_first_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = book(tmp_path, source("crm", secrets=["one", "two", "three"]))
    compared: list[bytes] = []

    def compare(given: bytes, accepted: bytes) -> bool:
        compared.append(accepted)
        return given == accepted

    monkeypatch.setattr(secretbook, "compare_digest", compare)
    assert asked.admits("crm", "one")
    assert compared == [b"one", b"two", b"three"]
    compared.clear()
    assert not asked.admits("nobody", "one")
    assert len(compared) == 1, "a source that does not exist takes its time too"
    compared.clear()
    assert not asked.admits_header("crm", CIMultiDict())
    assert len(compared) == 1


def test_what_stands_in_for_nobody_opens_nothing(tmp_path: Path) -> None:
    asked = book(tmp_path, source("crm", auth_header="X-Key", auth_key="k"))
    nobody = secretbook.NOBODY[0].decode()
    assert not asked.admits("crm", nobody)
    assert not asked.admits("nobody", nobody)
    assert not asked.admits_header("nobody", CIMultiDict({"": nobody}))


def test_a_header_is_found_in_any_case(tmp_path: Path) -> None:
    asked = book(tmp_path, source("crm", auth_header="X-Crm-Key", auth_key="k"))
    assert asked.admits_header("crm", CIMultiDict({"x-crm-key": "k"}))


def test_paths_carry_every_secret_as_an_address_can(tmp_path: Path) -> None:
    asked = book(
        tmp_path,
        source("crm", secrets=["plain", "a/b ç"]),
        source("other", auth_header="X-Key", auth_key="k"),
    )
    assert asked.paths("crm") == ("/hooks/crm/plain", "/hooks/crm/a%2Fb%20%C3%A7")
    assert asked.paths("other") == ("/hooks/other",)
    assert asked.paths("nobody") == ()


def test_a_header_is_told_where_the_address_alone_opens_nothing(tmp_path: Path) -> None:
    key = {"auth_header": "X-Key", "auth_key": "ç"}
    asked = book(tmp_path, source("crm", **key), source("both", secrets=["s"], **key), source("made"))
    assert asked.headers("crm") == {"X-Key": "ç"}
    assert [asked.headers(name) for name in ("both", "made", "nobody")] == [{}, {}, {}]


def test_everything_is_what_must_not_be_logged(tmp_path: Path) -> None:
    asked = book(tmp_path, source("crm", secrets=["one", "two"]), source("other"))
    assert set(asked.everything()) == {"one", "two", asked.made("other")}
