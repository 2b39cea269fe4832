"""HTML as plain text, for those who read no HTML."""

import re
from typing import Any, Final

from markdownify import ATX, MarkdownConverter

BLANK: Final = re.compile(r"[ \t]*\n(?:[ \t]*\n)+")


class _Plain(MarkdownConverter):
    """Writes what a person reads: no title of the window, pictures in words."""

    def convert_title(self, el: Any, text: str, parent_tags: Any) -> str:  # noqa: ANN401 (the library's signature)
        return ""

    def convert_img(self, el: Any, text: str, parent_tags: Any) -> str:  # noqa: ANN401 (the library's signature)
        return str(el.get("alt") or "")

    def convert_th(self, el: Any, text: str, parent_tags: Any) -> str:  # noqa: ANN401 (the library's signature)
        return f"{' '.join(text.split())}{'' if el.find_next_sibling() is None else self._behind(el)}"

    convert_td = convert_th

    def convert_tr(self, el: Any, text: str, parent_tags: Any) -> str:  # noqa: ANN401 (the library's signature)
        return f"{text}\n"

    def convert_table(self, el: Any, text: str, parent_tags: Any) -> str:  # noqa: ANN401 (the library's signature)
        return f"\n\n{text.strip()}\n\n"

    def _behind(self, cell: Any) -> str:  # noqa: ANN401 (the library's signature)
        """Return what parts a cell from the next one: a label from its value, or one value from another."""
        return ": " if cell.name == "th" and cell.find_next_sibling().name == "td" else " | "


def plain_text(html: str) -> str:
    """Return HTML as text: headings, lists, tables and links as people write them in mail."""
    writer = _Plain(heading_style=ATX, escape_misc=False, escape_asterisks=False, escape_underscores=False)
    # Around it, so that no text is taken for the name of a file, which Beautiful Soup warns of.
    text = str(writer.convert(f"<div>{html}</div>"))
    return BLANK.sub("\n\n", text).strip() + "\n"
