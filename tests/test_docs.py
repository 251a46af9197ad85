"""The documents say what is so: links lead somewhere, quotations are exact, commands run."""

import re
from pathlib import Path

import pytest
from documents import DOCS, PAGES, ROOT, blocks, ids, parse, perform, text

from canarygan_core import plugins

QUICK_START = (
    "pip install -r requirements.txt && canarygan run train-gan --model wavegan --preset tiny",
    "pip install nox && nox -s tests",
)
LANGUAGES = ("bash", "console", "python", "toml", "text")


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        name, _, anchor = target.partition("#")
        linked = page.parent / name if name else page
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in headings}, (
                target
            )


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_pages_are_ascii(page: Path) -> None:
    assert page.read_text(encoding="utf-8").isascii()


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_blocks_are_what_they_say_and_quote_to_the_letter(page: Path) -> None:
    for block in blocks(page):
        assert block.language in LANGUAGES, f"a block of {page.name} has no language"
        parse(block)
        if "from" in block.marks:
            source = (ROOT / block.marks["from"]).read_text(encoding="utf-8")
            assert f"\n{block.content}" in f"\n{source}", f"{page.name} does not quote {block.marks['from']}"
            assert "file" not in block.marks or block.content == source, f"{page.name} does not quote all of it"


@pytest.mark.parametrize("page", [page for page in PAGES if page != DOCS / "pipeline.md"], ids=ids)
def test_commands_run_or_say_why_not(page: Path, tmp_path: Path) -> None:
    """As a reader would: in order, in one folder. Those of pipeline.md run in test_docs_formats.py."""
    perform(page, tmp_path)


def test_quick_start_is_two_commands_and_ci_runs_the_second() -> None:
    shown = [block.content.strip() for block in blocks(ROOT / "README.md") if block.language == "bash"]
    assert tuple(shown[:2]) == QUICK_START
    assert QUICK_START[1] in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_every_page_of_docs_is_in_the_contents_of_the_site_and_named_in_the_readme() -> None:
    contents = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for page in DOCS.glob("*.md"):
        assert re.search(rf": {re.escape(page.name)}$", contents, re.MULTILINE), page.name
        assert f"(docs/{page.name}" in readme, page.name


def test_every_task_is_used_in_a_page_written_by_hand() -> None:
    written = "".join(page.read_text(encoding="utf-8") for page in PAGES if page.name != "cli.md")
    ours = {"canarygan", "decoders", "metrics", "wavegan"}
    for plugin in plugins.get_registry().plugins:
        for name in plugin.offers.get("task", []) if plugin.name in ours else []:
            assert re.search(rf"^(?:\$ )?canarygan (?:run )?{name}\b", written, re.MULTILINE), name


def test_decisions_are_dated() -> None:
    paragraphs = re.findall(r"^\*\*(.*)$", text("decisions.md"), re.MULTILINE)
    assert paragraphs
    assert all(re.match(r"20\d\d-\d\d\. \S", paragraph) for paragraph in paragraphs)
