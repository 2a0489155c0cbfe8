"""The transducers of another version of WeTextProcessing are built, once, into the cache."""

from __future__ import annotations

from pathlib import Path

from speech_text.wetext import chinese_normalizer, installed_version


def test_another_version_is_built_into_the_cache(tmp_path: Path) -> None:
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    (shipped / "manifest.json").write_text('{"WeTextProcessing": "0.0.1"}', encoding="utf-8")
    cache = tmp_path / "cache"
    normalize = chinese_normalizer(cache, shipped)
    assert normalize("花儿3") == "花儿三"
    assert [path.name for path in cache.iterdir()] == [f"fst-{installed_version()}"]
    built = {path: path.stat().st_mtime_ns for path in next(cache.iterdir()).iterdir()}
    chinese_normalizer(cache, shipped)
    assert built == {path: path.stat().st_mtime_ns for path in next(cache.iterdir()).iterdir()}
