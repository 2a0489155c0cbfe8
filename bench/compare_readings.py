"""Counts the sentences of tests/speech_text/readings that our rules and those of others read well.

    python -m bench.compare_readings [--aside] [--ours]
    python -m bench.compare_readings [--ours] FILE...    the sentences of these sets

The others are the published rules, WeText, NeMo and PaddleSpeech (Chinese alone). --aside takes the sentences
that were put aside while the rules were made. --ours leaves out the others, which uv installs from PyPI into
its cache. A FILE has the columns kind, language, domain, text and accepted, with tabs between them. Each of
its sentences with a letter or Hanzi counts as read well if it differs from `accepted` in style alone. Prints
for each kind of sentence how many are read well.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.arguments import Arguments
from bench.server import ROOT
from speech_text import RuleSet, TextError, TextFrontend
from tests.speech_text.readings.accepted import FOLDER, Sentence, sentences
from tests.speech_text.readings.style import public_sentences

PACKAGES = {
    "WeText": "wetext==0.1.8",
    "NeMo": "nemo_text_processing==1.2.0",
    "Paddle": "zh_normalization==0.0.2",
}


def main() -> None:
    parser = Arguments(__doc__)
    parser.add_argument("--aside", action="store_true", help="the sentences that were put aside")
    parser.add_argument("--ours", action="store_true", help="our two sets of rules alone")
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE")
    options = parser.parse_args()
    chosen = sentences(FOLDER / "aside" if options.aside else FOLDER)
    if options.files:
        chosen = [one for path in options.files for one in public_sentences(path)]
    readings = {"default": _ours("default", chosen), "published": _ours("published", chosen)}
    for name, package in {} if options.ours else PACKAGES.items():
        try:
            readings[name] = _theirs(package, chosen)
        except subprocess.CalledProcessError:
            print(f"{name} cannot be installed here, and is left out (above)", file=sys.stderr)
    _report(chosen, readings)


def _ours(rules: RuleSet, chosen: list[Sentence]) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        frontend = TextFrontend(cache_dir=Path(folder), rules=rules)
        return [_prepared(frontend, one.text) for one in chosen]


def _prepared(frontend: TextFrontend, text: str) -> str:
    try:
        return " ".join(frontend.prepare(text))
    except TextError:
        return ""


def _theirs(package: str, chosen: list[Sentence]) -> list[str]:
    uv = [str(ROOT / ".venv/bin/uv"), "run", "--quiet", "--no-project", "--python", sys.executable]
    program = str(Path(__file__).with_name("read_with_others.py"))
    answer = subprocess.run(
        [*uv, "--with", package, "python", program, package.partition("==")[0]],
        input=json.dumps([(one.language, one.text) for one in chosen]),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return list(json.loads(answer.stdout))


def _report(chosen: list[Sentence], readings: dict[str, list[str]]) -> None:
    """Prints for each kind of sentence the number that each set of rules reads well, then the shares."""
    groups: dict[str, list[int]] = {}  # the places of its sentences
    for place, one in enumerate(chosen):
        for group in (one.kind, f"language {one.language}", "all"):
            groups.setdefault(group, []).append(place)
    is_good = {
        name: [one.is_read_well(words) for one, words in zip(chosen, spoken, strict=True)]
        for name, spoken in readings.items()
    }
    kinds = {one.kind for one in chosen}
    print(f"{'kind':42} {'of':>5}" + "".join(f"{name:>11}" for name in readings))
    for group, places in sorted(
        groups.items(), key=lambda each: (each[0] not in kinds, each[0] == "all", each)
    ):
        counts = [sum(good[place] for place in places) for good in is_good.values()]
        cells = (f"{n:11}" if group in kinds else f"{100 * n / len(places):10.1f}%" for n in counts)
        print(f"{group:42} {len(places):5}{''.join(cells)}")


if __name__ == "__main__":
    main()
