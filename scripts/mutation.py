"""Which mutants a file has: cosmic-ray's operators, and two more, for statements and keyword arguments."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import parso
from cosmic_ray.ast import ast_nodes
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.provider import OperatorProvider

Position = tuple[tuple[int, int], tuple[int, int]]
# Slips that people make; not, say, + for **.
NAMES = [
    "ReplaceBinaryOperator_Add_Sub",
    "ReplaceBinaryOperator_Sub_Add",
    "ReplaceBinaryOperator_Mul_Div",
    "ReplaceBinaryOperator_Div_Mul",
    "ReplaceBinaryOperator_FloorDiv_Mul",
    "ReplaceBinaryOperator_Mod_FloorDiv",
    "ReplaceBinaryOperator_BitOr_BitAnd",
    "ReplaceBinaryOperator_BitAnd_BitOr",
    "ReplaceComparisonOperator_Eq_NotEq",
    "ReplaceComparisonOperator_NotEq_Eq",
    "ReplaceComparisonOperator_Lt_LtE",
    "ReplaceComparisonOperator_Lt_GtE",
    "ReplaceComparisonOperator_LtE_Lt",
    "ReplaceComparisonOperator_LtE_Gt",
    "ReplaceComparisonOperator_Gt_GtE",
    "ReplaceComparisonOperator_Gt_LtE",
    "ReplaceComparisonOperator_GtE_Gt",
    "ReplaceComparisonOperator_GtE_Lt",
    "ReplaceComparisonOperator_Is_IsNot",
    "ReplaceComparisonOperator_IsNot_Is",
    "ReplaceUnaryOperator_Delete_Not",
    "ReplaceUnaryOperator_Delete_USub",
    "AddNot",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "ExceptionReplacer",
    "NumberReplacer",
    "RemoveDecorator",
    "ZeroIterationForLoop",
]
# The decorators: without them nothing runs, and a mutant that every test notices says nothing.
NOT_BEHAVIOUR = re.compile(
    r"\b(log|logger|logging|warnings)\.\w+\(|(if TYPE_CHECKING|def __repr__|from|import|assert)\b"
    r"|(description|examples|title|summary)="
    r"|@(dataclass|property|staticmethod|classmethod|(async)?contextmanager|overload|abstractmethod|\w+\.setter)"
)


class Mutation(Protocol):
    """As cosmic-ray's operators are: where they apply to a node, and the node after that."""

    def mutation_positions(self, node: Any) -> Iterable[Position]: ...

    def mutate(self, node: Any, index: int) -> Any: ...


class RemoveStatement:
    """A call, an assignment to an attribute or item, a raise or del: gone."""

    def mutation_positions(self, node: Any) -> Iterator[Position]:
        if node.type == "simple_stmt" and self._removable(node.children[0]):
            yield node.children[0].start_pos, node.children[0].end_pos

    def mutate(self, node: Any, index: int) -> Any:
        nothing = parso.parse("pass").children[0]
        nothing.prefix = node.get_first_leaf().prefix
        node.children[0] = nothing
        return node

    @staticmethod
    def _removable(node: Any) -> bool:
        if node.type == "expr_stmt":
            target, then = node.children[:2]
            return bool(target.type == "atom_expr" and then.type != "annassign")
        return bool(
            node.type in ("raise_stmt", "del_stmt", "atom_expr") or node.get_code().startswith("await ")
        )


class RemoveKeyword:
    """A keyword argument of a call: not passed on."""

    def mutation_positions(self, node: Any) -> Iterator[Position]:
        for argument in self._keywords(node):
            yield argument.start_pos, argument.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        children = node.children
        at = children.index(self._keywords(node)[index])
        del children[at : at + 2]  # with the comma behind it
        return node

    @staticmethod
    def _keywords(node: Any) -> list[Any]:
        if node.type != "arglist":
            return []
        named = [child for child in node.children if child.type == "argument" and child.children[1] == "="]
        return [child for child in named if not NOT_BEHAVIOUR.match(child.get_code().strip())]


OPERATORS: list[Mutation] = [
    *(OperatorProvider()[name]() for name in NAMES),
    RemoveStatement(),
    RemoveKeyword(),
]


def mutants_by_line(path: Path) -> list[tuple[int, list[Callable[[], str | None]]]]:
    """Each line of the file that has mutants, and what makes them: None where that is no other program."""
    source = path.read_text(encoding="utf-8")
    nodes = list(ast_nodes(parso.parse(source)))
    found: defaultdict[int, list[Callable[[], str | None]]] = defaultdict(list)
    for each in OPERATORS:
        occurrence = 0
        for node in nodes:
            for start, _ in each.mutation_positions(node):
                if is_behaviour(node):
                    found[start[0]].append(partial(mutant, source, each, occurrence))
                occurrence += 1
    return sorted(found.items())


def mutant(source: str, by: Mutation, occurrence: int) -> str | None:
    try:
        mutated: str = mutate_code(source, by, occurrence)
        return mutated if ast.dump(ast.parse(source)) != ast.dump(ast.parse(mutated)) else None
    except (SyntaxError, AttributeError):  # slips of cosmic-ray: a bare * in a signature, a dotted exception
        return None


def is_behaviour(node: Any) -> bool:
    """Not a type, a log line, an import, a description, or a decorator without which nothing runs."""
    if node.type == "operator" and ('"' in node.parent.get_code() or node.parent.type == "parameters"):
        return False  # - of two strings: no slip that stays for long
    while node.parent is not None:
        parent = node.parent
        if NOT_BEHAVIOUR.match(node.get_code().strip()):
            return False
        if parent.type in ("annassign", "tfpdef"):
            value = parent.children[-1 if "=" in parent.children else 0]
            if node is not value:
                return False
        if node is getattr(parent, "annotation", None):
            return False
        node = parent
    return True


def statement_lines(source: str, line: int) -> range:
    """The lines of the smallest statement around `line`; of one with a body, those of its head."""
    smallest = range(line, line + 1)
    size = 10**9
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.stmt, ast.ExceptHandler)) and node.lineno <= line <= (node.end_lineno or 0):
            body: Any = getattr(node, "body", None)
            end = body[0].lineno - 1 if body and line < body[0].lineno else node.end_lineno or line
            if end - node.lineno < size:
                smallest, size = range(node.lineno, end + 1), end - node.lineno
    return smallest


def first_difference(source: str, mutated: str) -> int:
    lines = zip(source.splitlines(), [*mutated.splitlines(), ""], strict=False)
    return next(number for number, (old, new) in enumerate(lines, 1) if old != new)
