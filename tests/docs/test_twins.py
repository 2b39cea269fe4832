"""The two README are one text in two languages."""

from tests.docs.pages import ROOT, blocks, headings, links

ENGLISH, PORTUGUESE = ROOT / "README.md", ROOT / "README.pt-BR.md"


def test_they_have_the_same_headings() -> None:
    assert [level for level, _ in headings(ENGLISH)] == [level for level, _ in headings(PORTUGUESE)]


def test_they_show_the_same_code() -> None:
    shown = [[(block.language, block.text) for block in blocks(page)] for page in (ENGLISH, PORTUGUESE)]
    assert shown[0] == shown[1]


def test_they_link_to_the_same_pages_and_to_each_other() -> None:
    english, portuguese = ([link.href for link in links(page)] for page in (ENGLISH, PORTUGUESE))
    assert (english.pop(0), portuguese.pop(0)) == (PORTUGUESE.name, ENGLISH.name)
    assert english == portuguese
