"""The pages of the documentation, read as Markdown: their blocks of code, headings, links and tables."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
OUTSIDE = ("https://", "http://", "mailto:")
_READER = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, the rest of the line that opens it, and where it begins in its page."""

    page: Path
    line: int
    language: str
    title: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True, slots=True)
class Link:
    """A link out of a page."""

    page: Path
    href: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)} -> {self.href}"


def pages() -> list[Path]:
    """Return every page that users read."""
    return [*sorted(ROOT.glob("README*.md")), ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


@cache
def tokens(page: Path) -> tuple[Token, ...]:
    return tuple(_READER.parse(page.read_text("utf-8")))


def blocks(page: Path) -> list[Block]:
    found = []
    for token in tokens(page):
        if token.type == "fence" and token.map:
            language, _, title = token.info.strip().partition(" ")
            found.append(Block(page, token.map[0] + 1, language, title, token.content))
    return found


def blocks_in(*languages: str) -> list[Block]:
    """Return the blocks of all pages that are in one of these languages."""
    return [block for page in pages() for block in blocks(page) if block.language in languages]


def headings(page: Path) -> list[tuple[int, str]]:
    """Return the level and the text of each heading."""
    found = zip(tokens(page), tokens(page)[1:], strict=False)
    return [(int(opened.tag[1:]), text.content) for opened, text in found if opened.type == "heading_open"]


def anchors(page: Path) -> set[str]:
    """Return what a link to a part of a page may name, as GitHub makes it of headings."""
    seen: Counter[str] = Counter()
    made = set()
    for _, text in headings(page):
        plain = re.sub(r"[^\w\- ]", "", re.sub(r"\]\([^)]*\)", "", text).lower()).replace(" ", "-")
        made.add(f"{plain}-{seen[plain]}" if seen[plain] else plain)
        seen[plain] += 1
    return made


def links(page: Path) -> list[Link]:
    return [
        Link(page, str(child.attrs["href"]))
        for token in tokens(page)
        for child in token.children or ()
        if child.type == "link_open"
    ]


def rows(page: Path, heading: str) -> list[tuple[str, ...]]:
    """Return the rows of every table below a heading, up to the next one; the head of a table is no row."""
    return [row for where, row in _rows(page) if where == heading]


def _rows(page: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    heading, cells, in_body = "", list[str](), False
    for token, following in zip(tokens(page), (*tokens(page)[1:], None), strict=True):
        if token.type == "heading_open" and following:
            heading = following.content
        elif token.type in {"tbody_open", "tbody_close"}:
            in_body = token.type == "tbody_open"
        elif token.type == "td_open" and following:
            cells.append(following.content)
        elif token.type == "tr_close":
            if in_body:
                yield heading, tuple(cells)
            cells = []


def code(cell: str) -> str:
    """Return what a cell holds between backticks; a bar within is escaped for the table."""
    return cell.strip("`").strip().replace("\\|", "|")


def codes(cell: str) -> list[str]:
    """Return each piece of a cell between backticks."""
    return [piece.replace("\\|", "|") for piece in re.findall(r"`+ ?([^`]+?) ?`+", cell)]
