"""docs/architecture.md names the types that carry a POST /api/v1/tts, and its hops, as the code has them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "glm_tts_api"
MODULES = [*PACKAGE.rglob("*.py"), *(REPOSITORY / "speech_text").rglob("*.py")]
PAGE = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
MOST_CARRIERS, MOST_HOPS = 12, 22
_HOP = re.compile(r"^\| (\d+) \| `([\w/.]+)` `([\w.]+)` \| ([\w, ]+) \|", re.MULTILINE)

Signature = tuple[set[str], set[str]]
"""The names in a function's parameters, its class among them, and in what it returns."""


def signatures() -> dict[tuple[str, str], Signature]:
    """Of all functions of the package, by file and name."""
    return {
        (path.relative_to(REPOSITORY).as_posix().removeprefix("glm_tts_api/"), name): signature
        for path in MODULES
        for name, signature in _functions(ast.parse(path.read_text(encoding="utf-8")), "")
    }


def _functions(scope: ast.Module | ast.ClassDef, of: str) -> Iterator[tuple[str, Signature]]:
    for node in scope.body:
        if isinstance(node, ast.ClassDef) and "Protocol" not in map(ast.unparse, node.bases):
            yield from _functions(node, node.name)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            parameters = [each.annotation for each in (*node.args.args, *node.args.kwonlyargs)]
            takes: set[str] = {of}.union(*map(_names, parameters))
            yield f"{of}.{node.name}".lstrip("."), (takes, _names(node.returns))


def _names(annotation: ast.expr | None) -> set[str]:
    return set(re.findall(r"\w+", ast.unparse(annotation))) if annotation else set()


def own_types() -> set[str]:
    files = [ast.parse(path.read_text(encoding="utf-8")) for path in MODULES]
    return {node.name for file in files for node in file.body if isinstance(node, ast.ClassDef)}


def listed(lead: str) -> list[str]:
    """The names that follow, up to a full stop or a colon."""
    _, found, rest = PAGE.partition(lead)
    assert found, f"docs/architecture.md has no sentence with {lead!r}"
    return [name.strip("`") for name in re.split(r"\s>\s|,\s", re.split(r"[.:]\s", rest, maxsplit=1)[0])]


def owners(hop: tuple[str, str]) -> set[str]:
    """The class of a method, unless it is a carrier itself."""
    return set(hop[1].split(".")[:-1]) - set(CARRIERS)


CARRIERS = listed("types carry it: ")
BESIDE = set(listed("Beside them go "))
AROUND = set(listed("Around the hops stand "))
HOPS = [((file, name), set(re.findall(r"\w+", types))) for _, file, name, types in _HOP.findall(PAGE)]


def test_each_hop_passes_on_the_types_that_stand_beside_it() -> None:
    known, own = signatures(), own_types()
    found = [(hop, set().union(*known[hop]) & own - BESIDE - owners(hop)) for hop, _ in HOPS]
    assert found == [(hop, types & own) for hop, types in HOPS]


def test_the_carriers_are_the_types_that_the_hops_pass_on() -> None:
    assert set(CARRIERS) == set().union(*(types for _, types in HOPS)) & own_types()
    assert len(CARRIERS) == len(set(CARRIERS)) <= MOST_CARRIERS
    assert f"{len(CARRIERS)} types carry it" in PAGE


def test_the_chinese_page_has_the_same_hops_and_carriers() -> None:
    twin = (REPOSITORY / "docs" / "architecture_zh.md").read_text(encoding="utf-8")
    assert _HOP.findall(twin) == _HOP.findall(PAGE)
    assert " > ".join(CARRIERS) in twin


def test_no_hop_is_left_out() -> None:
    """Where one carrier comes in and another goes out."""
    carriers = set(CARRIERS)
    between = {
        at for at, (takes, gives) in signatures().items() if takes & carriers and (gives - takes) & carriers
    }
    assert {at for at in between - {hop for hop, _ in HOPS} if at[1] not in AROUND} == set()
    assert len(HOPS) <= MOST_HOPS
    assert f"in {len(HOPS)} hops" in PAGE
    assert [int(number) for number, *_ in _HOP.findall(PAGE)] == list(range(1, len(HOPS) + 1))
