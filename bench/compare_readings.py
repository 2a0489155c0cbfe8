"""Counts the sentences of tests/speech_text/readings that our rules and those of others read well.

    python -m bench.compare_readings [--aside] [--ours]

The others are the published rules, WeText and NeMo. --aside takes the sentences that were put aside while the
rules were made. --ours leaves out WeText and NeMo, which are installed from PyPI into ~/.cache/glm-tts-api/
readings; this takes some minutes the first time. Prints for each kind of sentence how many are read well.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from collections import Counter
from pathlib import Path

from bench.arguments import Arguments
from glm_tts_api.errors import NothingToSay
from glm_tts_api.settings import SHIPPED_CONFIGS
from speech_text.frontend import RuleSet, TextFrontend
from tests.speech_text.readings.accepted import Sentence, sentences

PROJECT = Path(__file__).resolve().parents[1]
READINGS = PROJECT / "tests" / "speech_text" / "readings"
PACKAGES = ("wetext==0.1.8", "nemo_text_processing==1.2.0")
ENVIRONMENT = Path.home() / ".cache" / "glm-tts-api" / "readings"


def main() -> None:
    parser = Arguments(__doc__)
    parser.add_argument("--aside", action="store_true", help="the sentences that were put aside")
    parser.add_argument("--ours", action="store_true", help="our two sets of rules alone")
    options = parser.parse_args()
    chosen = sentences(READINGS / "aside" if options.aside else READINGS)
    readings = {"default": _ours("default", chosen), "published": _ours("published", chosen)}
    if not options.ours:
        readings |= _theirs(chosen)
    _report(chosen, readings)


def _ours(rules: RuleSet, chosen: list[Sentence]) -> list[str]:
    with tempfile.TemporaryDirectory() as empty:  # an empty folder, so that no dictionary of the user counts
        frontend = TextFrontend(Path(empty), cache_dir=Path(empty), rules=rules, shipped=SHIPPED_CONFIGS)
        return [_prepared(frontend, one.text) for one in chosen]


def _prepared(frontend: TextFrontend, text: str) -> str:
    try:
        return " ".join(frontend.prepare(text))
    except NothingToSay:
        return ""


def _theirs(chosen: list[Sentence]) -> dict[str, list[str]]:
    answer = subprocess.run(
        [_python(), Path(__file__).with_name("read_with_others.py")],
        input=json.dumps([(one.language, one.text) for one in chosen]),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(answer.stdout))


def _python() -> Path:
    """Returns the path of the Python in ENVIRONMENT. Creates the environment first if it lacks PACKAGES."""
    python, installed = ENVIRONMENT / "bin" / "python", ENVIRONMENT / "installed"
    if not installed.is_file() or installed.read_text(encoding="utf-8") != " ".join(PACKAGES):
        venv.create(ENVIRONMENT, clear=True, with_pip=True)
        for package in PACKAGES:
            done = subprocess.run([python, "-m", "pip", "install", "-q", package], check=False)
            if done.returncode:
                print(f"{package} cannot be installed here", file=sys.stderr)
        installed.write_text(" ".join(PACKAGES), encoding="utf-8")
    return python


def _report(chosen: list[Sentence], readings: dict[str, list[str]]) -> None:
    names = list(readings)
    counts = Counter(one.kind for one in chosen)
    good = {
        name: Counter(
            one.kind for one, spoken in zip(chosen, readings[name], strict=True) if one.is_read_well(spoken)
        )
        for name in names
    }
    print(f"{'kind':42} {'of':>5}" + "".join(f"{name:>11}" for name in names))
    for kind in sorted(counts):
        print(f"{kind:42} {counts[kind]:5}" + "".join(f"{good[name][kind]:11}" for name in names))
    for language in ("zh", "en", "mixed"):
        _rates(f"language {language}", [one.language == language for one in chosen], chosen, readings)
    _rates("all", [True for _ in chosen], chosen, readings)


def _rates(title: str, kept: list[bool], chosen: list[Sentence], readings: dict[str, list[str]]) -> None:
    total = sum(kept)
    rates = "".join(f"{100 * _n_good(kept, chosen, spoken) / total:10.1f}%" for spoken in readings.values())
    print(f"{title:42} {total:5}{rates}")


def _n_good(kept: list[bool], chosen: list[Sentence], spoken: list[str]) -> int:
    return sum(
        keep and one.is_read_well(words) for keep, one, words in zip(kept, chosen, spoken, strict=True)
    )


if __name__ == "__main__":
    main()
