"""Links between pages lead somewhere, and every page can be reached."""

from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.docs.pages import OUTSIDE, ROOT, Link, anchors, links, pages

INSIDE = [link for page in pages() for link in links(page) if not link.href.startswith(OUTSIDE)]


def _target(link: Link) -> tuple[Path, str]:
    path, _, anchor = unquote(link.href).partition("#")
    return (link.page.parent / path).resolve() if path else link.page, anchor


def _defect(link: Link) -> str | None:
    path, anchor = _target(link)
    if not path.exists() or ROOT not in (path, *path.parents):
        return "there is no such file"
    if anchor and (path.suffix != ".md" or anchor not in anchors(path)):
        return "the page has no such heading"
    return None


@pytest.mark.parametrize("link", INSIDE, ids=lambda link: link.place)
def test_a_link_leads_to_a_file_and_a_heading_that_exist(link: Link) -> None:
    assert _defect(link) is None


@pytest.mark.parametrize("href", ["nowhere.md", "README.md#nowhere", "LICENSE#licence", "../outside.md"])
def test_a_broken_link_would_be_found(href: str) -> None:
    assert _defect(Link(ROOT / "README.md", href)) is not None


def test_every_page_can_be_reached_from_the_first() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            waiting += [_target(link)[0] for link in links(page) if not link.href.startswith(OUTSIDE)]
    assert set(pages()) - reached == set()
