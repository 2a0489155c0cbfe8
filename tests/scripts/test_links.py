"""A link of the docs that leads nowhere is found, and those of this project lead somewhere."""

from __future__ import annotations

from pathlib import Path

from scripts.checks.links import faults, main


def test_links_that_lead_nowhere_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# The `first` page, 第一页\n\n[a](#the-first-page-第一页) [b](other.md#later) [c](https://example.org/d#e)\n"
        "`[code](nothing.md)`\n\n```\n# no heading\n[block](nothing.md)\n```\n"
        "[gone](gone.md) [renamed](other.md#earlier)\n[no heading](#no-heading)\n"
    )
    (tmp_path / "other.md").write_text("## Later\n")
    assert [fault.removeprefix(f"{tmp_path}/") for fault in faults(page)] == [
        "page.md:10: there is no gone.md",
        f"page.md:10: {tmp_path}/other.md has no heading #earlier",
        f"page.md:11: {page} has no heading #no-heading",
    ]


def test_the_docs_lead_somewhere() -> None:
    assert main([]) == 0
