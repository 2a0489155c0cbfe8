"""Updates the tables of docs/settings.md and docs/settings_zh.md with the code's defaults and allowed values.

    python -m scripts.make.settings_table [--check]

Each row keeps its sentence. A default that depends on the machine or on another setting keeps the words of
the page. A setting without a row, or a row without a setting, is an error. With --check nothing is written,
and a page that would change is an error too.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Literal, get_args, get_origin

import annotated_types
from pydantic.fields import FieldInfo

from glm_tts_api.settings import Settings
from glm_tts_api.validation import plain_type

PAGES = [Path(__file__).resolve().parents[2] / "docs" / name for name in ("settings.md", "settings_zh.md")]
_ROW = re.compile(r"^\| `([A-Z_]+)` \| (.*?) \| .*? \| (.*) \|$", re.MULTILINE)
_FROM_FILES = {"PRESET"}  # has a row, but is no field of Settings: it names a file of settings


def default(field: FieldInfo, said: str) -> str:
    """Returns the field's default as a line of .env has it, or the page's words `said` without one."""
    value = field.default
    if field.default_factory is not None or value in (None, "", ()):
        return said
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
    number = f"{value:g}" if isinstance(value, float) else value
    return f"`{int(value) if isinstance(value, bool) else number}`"


def allowed(field: FieldInfo) -> str:
    """Returns the allowed values of a setting: a range such as `1–64`, or a list of words.

    Returns "" if the type has no limits; the sentence of the row then describes the values.
    """
    kind = plain_type(field.annotation)
    if get_origin(kind) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(kind))
    if kind is bool:
        return "`0`, `1`"
    low = [f"{item.ge}" for item in field.metadata if isinstance(item, annotated_types.Ge)]
    high = [f"{item.le}" for item in field.metadata if isinstance(item, annotated_types.Le)]
    return f"`{'–'.join(low + high)}`" if low or high else ""


def with_table(page: str) -> str:
    """Returns the text of the page with updated rows.

    Raises ValueError, which names the settings without a row and the rows without a setting.
    """
    fields = {name.upper(): field for name, field in Settings.model_fields.items()}
    rows = {row[1] for row in _ROW.finditer(page)} - _FROM_FILES
    if wrong := rows ^ fields.keys():
        raise ValueError("not both a setting and a row of the table: " + ", ".join(sorted(wrong)))

    def row(found: re.Match[str]) -> str:
        name, said, sentence = found.groups()
        if name in _FROM_FILES:
            return found[0]
        field = fields[name]
        return f"| `{name}` | {default(field, said)} | {allowed(field)} | {sentence} |"

    return _ROW.sub(row, page)


def main(arguments: list[str]) -> int:
    status = 0
    for path in PAGES:
        page = path.read_text(encoding="utf-8")
        try:
            new = with_table(page)
        except ValueError as error:
            print(f"{path.name}: {error}")
            return 1
        if new != page and "--check" in arguments:
            print(f"{path.name} is not as the code has it: python -m scripts.make.settings_table")
            status = 1
        elif new != page:
            path.write_text(new, encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
