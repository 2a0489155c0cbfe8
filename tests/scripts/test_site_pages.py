"""The site of the docs: each page has its place, and a page's links hold there. The site itself is built by
scripts/docs.sh."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from scripts.make.site_pages import page

PROJECT = Path(__file__).parents[2]


def test_each_page_has_its_place() -> None:
    def names(nav: list[Any]) -> list[str]:
        return [
            name
            for one in nav
            for name in (names(next(iter(one.values()))) if isinstance(one, dict) else [one])
        ]

    config = yaml.load((PROJECT / "mkdocs.yml").read_text(), yaml.BaseLoader)
    pages = {path.name for path in (PROJECT / "docs").glob("*.md") if not path.stem.endswith("_zh")}
    assert sorted(names(config["nav"])) == sorted(pages)


def test_each_page_has_its_chinese_twin() -> None:
    names = {path.stem for path in (PROJECT / "docs").glob("*.md")}
    assert {name for name in names if not name.endswith("_zh") and f"{name}_zh" not in names} == set()
    assert {name for name in names if name.endswith("_zh") and name.removesuffix("_zh") not in names} == set()


def test_a_pages_links_hold_on_the_site() -> None:
    text = "# 设置\n\n[English](settings.md)\n\n见 [gpu_zh.md](gpu_zh.md#a)、[部署](../a.yaml) 和 `(?<![x])`"
    titles = {"gpu_zh.md": "在 GPU 上运行"}
    said = page(text, titles, "https://github.com/a/b")
    assert said.startswith(
        "# 设置\n\n见 [在 GPU 上运行](gpu.md#a)、[部署](https://github.com/a/b/a.yaml) 和 <code>&#40;"
    )
    assert "、部署 和" in page(text, titles, "")
    assert page(r"| `a\|b` |", {}, "") == "| <code>&#97;&#124;&#98;</code> |"
