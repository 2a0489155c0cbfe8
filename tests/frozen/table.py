"""The files of the frozen table, and how what is so now differs from them."""

from __future__ import annotations

import csv
import difflib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

from glm_tts_api.settings import Settings
from tests.api.server_process import REPOSITORY, Server
from tests.api.waiting import wait_until
from tests.frozen.answers import Row, answers, cpu_kind, serving
from tests.frozen.cases import Case, cases, described
from tests.frozen.sentences import spoken_sentences

FOLDER = Path(__file__).parent
CHAPTERS = tuple(cases())
_TABLE = FOLDER / "answers.tsv"
_COLUMNS = ("case", "status", "headers", "body", "samples")
_OF_CLIENTS = ("say", "book", "dub", "voices", "voices add")
_COMMANDS = ("", *_OF_CLIENTS, "serve", "check", "download", "read", "settings")
_SCRIPTS = (
    "start_api.sh",
    "restart_api.sh",
    *(f"scripts/{name}.sh" for name in ("stop_api", "status_api", "test")),
)


def _settings() -> list[str]:
    fields = Settings.model_fields.items()
    return [
        f"{name.upper()}\t{'by the machine' if each.default_factory else each.default}"
        for name, each in fields
    ]


def _help() -> list[str]:
    lines: list[str] = []
    python = [[sys.executable, "-m", "glm_tts_api", *command.split()] for command in _COMMANDS]
    for command in (*python, *(["bash", script] for script in _SCRIPTS)):
        done = subprocess.run(
            [*command, "--help"],
            cwd=REPOSITORY,
            env={**os.environ, "COLUMNS": "100"},
            capture_output=True,
            text=True,
            check=True,
        )
        name = "glm-tts" if command[0] == sys.executable else ""
        lines += [
            f"$ {' '.join([name, *command[3 if name else 1 :]]).strip()} --help",
            *done.stdout.splitlines(),
        ]
    return lines


def _openapi(server: Server) -> list[str]:
    return json.dumps(server.client.get("/openapi.json").json(), indent=1, ensure_ascii=False).splitlines()


def _metrics(server: Server) -> list[str]:
    """Every series: names, help texts, types and labels, without the values."""
    wait_until(lambda: "glm_tts_kv_cells{" in server.client.get("/metrics").text, 60)  # the engine has told
    lines = server.client.get("/metrics").text.splitlines()
    return [line if line.startswith("#") else re.sub(r" \S+$", "", line) for line in lines]


_OF_A_SERVER: dict[str, Callable[[Server], list[str]]] = {"openapi": _openapi, "metrics": _metrics}
_OF_NO_SERVER: dict[str, Callable[[], list[str]]] = {
    "readings": lambda: list(spoken_sentences()),
    "settings": _settings,
    "help": _help,
}
PARTS = (*_OF_A_SERVER, *_OF_NO_SERVER)


def write(parts: list[str]) -> None:
    """Writes the files of the parts. Chapters that are not named keep their rows."""
    _, frozen = _frozen()
    rows, lines = _now(parts, cases())
    for chapter, found in rows.items():
        frozen = {name: row for name, row in frozen.items() if not name.startswith(f"{chapter}/")} | found
    order = [f"{chapter}/{case.name}" for chapter, each in cases().items() for case in each]
    with _TABLE.open("w", encoding="utf-8", newline="") as file:
        file.write(f"# cpu: {cpu_kind()}\n")
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(_COLUMNS)
        table.writerows([name, *asdict(frozen[name]).values()] for name in order if name in frozen)
    for part, found_lines in lines.items():
        _file(part).write_text("".join(f"{line}\n" for line in found_lines), encoding="utf-8")


def compare(parts: list[str], short: bool = False) -> list[str]:
    """Returns a text for each row, and a diff for each file, that is not as in the table."""
    kind, frozen = _frozen()
    same_kind = kind == cpu_kind()
    asked = cases(short)
    rows, lines = _now(parts, asked)
    requests = {f"{chapter}/{case.name}": case for chapter, each in asked.items() for case in each}
    differences = []
    for name, row in (item for chapter in rows.values() for item in chapter.items()):
        if name not in frozen:
            differences.append(f"{name}: is not in the table")
        elif told := row.differs_from(frozen[name], same_kind):
            differences.append(f"{name}: {described(requests[name])}\n{told}")
    for part, now in lines.items():
        before = _file(part).read_text(encoding="utf-8").splitlines()
        differences += difflib.unified_diff(before, now, f"frozen {part}", f"{part} now", lineterm="", n=1)
    return differences


def _now(
    parts: Iterable[str], asked: dict[str, list[Case]]
) -> tuple[dict[str, dict[str, Row]], dict[str, list[str]]]:
    """The rows of the chapters among `parts`, and the lines of the other parts."""
    named = set(parts)
    rows: dict[str, dict[str, Row]] = {}
    lines = {part: read() for part, read in _OF_NO_SERVER.items() if part in named}
    if named & {*CHAPTERS, *_OF_A_SERVER}:
        with serving() as server:
            lines |= {part: read(server) for part, read in _OF_A_SERVER.items() if part in named}
            for chapter, each in asked.items():
                if chapter in named:
                    rows[chapter] = answers(server, chapter, each)
    return rows, lines


def _frozen() -> tuple[str, dict[str, Row]]:
    """The kind of CPU that wrote the table, and its rows."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        kind = file.readline().removeprefix("# cpu:").strip()
        table = list(csv.DictReader(file, delimiter="\t"))
    return kind, {
        row["case"]: Row(int(row["status"]), row["headers"], row["body"], row["samples"]) for row in table
    }


def _file(part: str) -> Path:
    return FOLDER / f"{part}.txt"
