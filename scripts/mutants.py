"""Breaks one thing at a time and asks whether the tests notice: mutation testing, apart from the test suite.

    .venv/bin/pip install cosmic-ray coverage
    .venv/bin/python scripts/mutants.py [--count 150] [--seed 1] [--rooms audio text] [MUTANT.diff ...]

Draws mutants of every room, as many as the square root of its lines asks for, and runs the room's tests on
each, in a copy of the tree. Tests that executed the mutated statement come first (coverage records once which
do), then those that start processes, those that executed anything else of its file, and the room's others,
until BUDGET_S of tests have passed. A mutant that no test fails on is printed as a diff and kept in
out/mutants; diffs that are given as arguments are run again. A seed draws the same mutants of a room whether
others are drawn or not.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import coverage
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.mutation import first_difference, mutants_by_line, statement_lines

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "out" / "mutants"
PACKAGE = "glm_tts_api"
ROOMS = {
    **{
        room: [f"{PACKAGE}/{room}"]
        for room in ("admission", "audio", "engine", "stats", "text", "voices", "web")
    },
    "settings": [
        f"{PACKAGE}/{name}.py"
        for name in ("settings", "setting_names", "setting_types", "room_configs", "run_folder", "cores")
    ],
}
BUDGET_S = 240
# What takes long to import and is not mutated: loaded once, before each mutant's process is forked.
IMPORTED_ONCE = (
    "torch fastapi.testclient httpx soundfile av uvicorn pydantic_settings transformers hypothesis tn"
)


class Recorder:
    """Tells coverage which test is at work, and keeps how long each took and which started processes: those
    that are killed, or have an environment of their own, are not measured."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self.measured = measured
        self.seconds: dict[str, float] = {}
        self.starters: list[str] = []
        self._test = ""
        sys.addaudithook(self._heard)

    def _heard(self, event: str, _: object) -> None:
        if event == "subprocess.Popen" and self._test not in self.starters:
            self.starters.append(self._test)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.measured.switch_context(item.nodeid)
        self._test = item.nodeid
        begin = time.perf_counter()
        result = yield
        self.seconds[item.nodeid] = time.perf_counter() - begin
        return result


class Limits:
    """A mutant that hangs is noticed: no test may take much longer than the longest of its file did."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.longest: dict[str, float] = {}
        for test, took in seconds.items():
            file = test.split("::")[0]
            self.longest[file] = max(took, self.longest.get(file, 0.0))

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        limit = 60 + 5 * self.longest.get(item.nodeid.split("::")[0], 0.0)
        item.add_marker(pytest.mark.timeout(limit), append=False)


class Room:
    """A copy of the tree in `folder`, and what is known of the tests of a room there."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.tree, self.log = name, folder / "tree", folder / "log"
        self.tree.mkdir()
        names = subprocess.check_output(["git", "ls-files", "-zco", "--exclude-standard"], cwd=ROOT)
        archive = subprocess.run(
            ["tar", "-c", "--null", "--ignore-failed-read", "-T", "-"],
            cwd=ROOT,
            input=names,
            capture_output=True,
        ).stdout
        subprocess.run(["tar", "-x"], cwd=self.tree, input=archive, check=True)
        self.seconds: dict[str, float] = {}
        self.starters: list[str] = []
        self.data = coverage.CoverageData(str(folder / "coverage"))
        self._record(folder)

    def _record(self, folder: Path) -> None:
        """Runs the room's tests once, and measures servers that they start in other processes as well."""
        (folder / "coveragerc").write_text(
            f"[run]\nsource = {self.tree / PACKAGE}\ndata_file = {folder / 'coverage'}\nparallel = true\n"
            "patch = subprocess\nsigterm = true\ncontext = ${PYTEST_CURRENT_TEST-}\n"
        )
        failed = self.run([f"tests/{self.name}"], 3600, folder / "coveragerc")
        self.seconds, self.starters = json.loads((folder / "tests").read_text())
        for test in re.findall(r"^(?:FAILED|ERROR) (tests/\S+)", failed or "", re.MULTILINE):
            print(f"{self.name}: {test} fails without a mutant, and is left out")
            self.seconds.pop(test, None)
        measured = coverage.Coverage(config_file=str(folder / "coveragerc"))
        measured.combine([str(folder)])
        self.data = measured.get_data()

    def run(self, arguments: list[str], limit_s: float, coveragerc: Path | None = None) -> str | None:
        """None if all tests pass, else what pytest wrote; "out of time" after `limit_s`."""
        child = os.fork()
        if child == 0:
            os._exit(self._pytest(arguments, coveragerc))
        end, done, status = time.monotonic() + limit_s, 0, 0
        while not done and time.monotonic() < end:
            time.sleep(0.02)
            done, status = os.waitpid(child, os.WNOHANG)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        if not done:
            os.waitpid(child, 0)
            return "out of time"
        return None if status == 0 else self.log.read_text(errors="replace") or "a crash"

    def _pytest(self, arguments: list[str], coveragerc: Path | None) -> int:
        """In the child: the tests of the copy, with the package of the copy."""
        os.setpgid(0, 0)
        os.chdir(self.tree)
        sys.path[:0] = [str(self.tree)]
        os.environ["PYTHONPATH"] = str(self.tree)
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # two mutants within a second look alike to a cache
        sys.dont_write_bytecode = True
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        common = ["-q", "-rfE", "-p", "no:cacheprovider"]
        if coveragerc is None:
            return int(pytest.main([*common, "-x", *arguments], plugins=[Limits(self.seconds)]))
        recorder = Recorder(coverage.Coverage(config_file=str(coveragerc)))
        recorder.measured.start()
        code = int(pytest.main([*common, *arguments], plugins=[recorder]))
        recorder.measured.stop()
        recorder.measured.save()
        (coveragerc.parent / "tests").write_text(json.dumps([recorder.seconds, recorder.starters]))
        return code

    def tests_for(self, path: str, source: str, line: int) -> list[str]:
        """Tests in the order in which they are likely to notice, BUDGET_S of them; files stay together."""
        (measured,) = [name for name in self.data.measured_files() if name.endswith("/" + path)] or [""]
        by_line = self.data.contexts_by_lineno(measured)
        statement = statement_lines(source, line)
        near, same_file = set(), set()
        for number, contexts in by_line.items():
            tests = {part.split(" (")[0] for context in contexts for part in context.split("|")}
            same_file |= tests
            near |= tests if number in statement else set()
        chosen: list[str] = []
        left: float = BUDGET_S
        for group in (near, set(self.starters), same_file, set(self.seconds)):
            fitting = []
            for test in sorted(
                group & self.seconds.keys() - set(chosen), key=lambda test: self.seconds[test]
            ):
                if (left := left - self.seconds[test]) > 0:
                    fitting.append(test)
            chosen += sorted(fitting, key=lambda test: test.split("::")[0])
        return chosen

    def noticed(self, path: str, mutated: str) -> str | None:
        """The test that fails on the mutant, or how else it was noticed; None if it was not."""
        file = self.tree / path
        source = file.read_text(encoding="utf-8")
        tests = self.tests_for(path, source, first_difference(source, mutated))
        file.write_text(mutated, encoding="utf-8")
        try:
            output = self.run(tests, 120 + 5 * sum(self.seconds[test] for test in tests)) if tests else None
        finally:
            file.write_text(source, encoding="utf-8")
        found = re.search(r"^(?:FAILED|ERROR) (tests/.*)", output or "", re.MULTILINE)
        return found[1] if found else output and output[-200:]


def draw(count: int, seed: int) -> Iterator[tuple[str, str, str]]:
    """Room, file and mutated source, `count` times: lines by chance, and one mutant of each by chance."""
    by_room = {}
    for room, parts in ROOMS.items():
        files = [file for part in parts for file in sorted(ROOT.glob(f"{part}/**/*.py")) or [ROOT / part]]
        by_room[room] = [
            (file, mutants) for file in files if file.is_file() for _, mutants in mutants_by_line(file)
        ]
    shares = {room: len(lines) ** 0.5 for room, lines in by_room.items()}
    for room, lines in by_room.items():
        chance = random.Random(f"{seed} {room}")
        chance.shuffle(lines)
        mutated = ((file, source) for file, mutants in lines if (source := chance.choice(mutants)()))
        for file, source in islice(mutated, round(count * shares[room] / sum(shares.values()))):
            yield room, str(file.relative_to(ROOT)), source


def read_diff(path: Path) -> tuple[str, str, str] | None:
    """Room, file and mutated source of a diff that an earlier run kept; None if the code is another now."""
    diff = path.read_text(encoding="utf-8")
    file = re.findall(r"^\+\+\+ b/(\S+)", diff, re.MULTILINE)[0]
    room = next(name for name, parts in ROOMS.items() if any(file.startswith(part) for part in parts))
    with tempfile.NamedTemporaryFile() as mutated:
        patch = ["patch", "-s", "-r", "-", "-o", mutated.name, ROOT / file]
        if subprocess.run(patch, input=diff, text=True, stdout=subprocess.DEVNULL).returncode:
            print(f"{path.name} does not fit any more")
            return None
        return room, file, Path(mutated.name).read_text(encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("diffs", nargs="*", type=Path)
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rooms", nargs="+", choices=ROOMS, default=ROOMS)
    options = parser.parse_args()
    for module in IMPORTED_ONCE.split():
        __import__(module)
    kept = (read_diff(path) for path in options.diffs)
    drawn = () if options.diffs else draw(options.count, options.seed)
    wanted = [*filter(None, kept), *drawn]
    OUT.mkdir(parents=True, exist_ok=True)
    tally: dict[str, list[bool]] = {}
    for name in [room for room in options.rooms if any(room == each for each, _, _ in wanted)]:
        with tempfile.TemporaryDirectory() as folder:
            room = Room(name, Path(folder))
            for path, mutated in [mutant[1:] for mutant in wanted if mutant[0] == name]:
                tally.setdefault(name, []).append(report(room, path, mutated))
    for name, results in tally.items():
        print(f"{name}: {sum(results)} of {len(results)} noticed")
    every = [result for results in tally.values() for result in results]
    print(f"all: {sum(every)} of {len(every)} noticed, {100 * sum(every) / max(1, len(every)):.0f} %")
    return 0


def report(room: Room, path: str, mutated: str) -> bool:
    """Runs the tests on one mutant and says what became of it."""
    source = (room.tree / path).read_text(encoding="utf-8")
    line = first_difference(source, mutated)
    by = room.noticed(path, mutated)
    if by:
        print(f"{path}:{line} noticed by {by}", flush=True)
        return True
    diff = "".join(
        difflib.unified_diff(
            source.splitlines(keepends=True), mutated.splitlines(keepends=True), f"a/{path}", f"b/{path}"
        )
    )
    print(f"{path}:{line} NOT NOTICED\n{diff}", flush=True)
    (OUT / f"{path.replace('/', '.')}.{line}.diff").write_text(diff, encoding="utf-8")
    return False


if __name__ == "__main__":
    sys.exit(main())
