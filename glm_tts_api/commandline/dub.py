"""The command `glm-tts dub`: a server speaks the subtitles of a film, each at its time, as a job. The command
fetches one file for the film, and one for each speaker if asked."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from functools import partial
from typing import Any
from urllib.parse import quote

from tqdm import tqdm

from glm_tts_api.commandline.api import Api, say_aside
from glm_tts_api.commandline.book import WORK, file_name, patiently, speak, write_verdicts
from glm_tts_api.commandline.files import Misused, write_file

_FORMATS = (".wav", ".flac")
_NARRATOR = "narrator"
_MOST_NAMED = 20  # subtitles whose times are not kept


def run(arguments: argparse.Namespace) -> int:
    """Has the subtitles spoken into the file, or goes on where an earlier command stopped. Returns an exit
    code. Raises Failed or StartupError."""
    out = arguments.output
    if out.suffix.lower() not in _FORMATS:
        raise Misused(f"-o {out}: the name must end in one of {', '.join(_FORMATS)}")
    return speak(arguments, out.parent / WORK / out.name, partial(_fetch, arguments))


def _fetch(arguments: argparse.Namespace, api: Api, path: str, _: str) -> None:
    out = arguments.output
    audio = f"{path}/audio?format={out.suffix.lower()[1:]}"
    patiently(api, partial(api.download, audio, out))
    tqdm.write(str(out))
    cues = patiently(api, partial(api.get, f"{path}/cues"))["cues"]
    report = out.with_suffix(".cues.json")
    write_file(report, json.dumps(cues, ensure_ascii=False, indent=1).encode() + b"\n")
    say_aside(f"{_told(cues)} ({report} has each).")
    if arguments.verify:
        write_verdicts(api.get(f"{path}/verified"), out.with_suffix(".verified.json"))
    if arguments.stems is not None:
        arguments.stems.mkdir(parents=True, exist_ok=True)
    taken = Counter[str]()  # by names that differ on every file system
    for speaker in dict.fromkeys(cue["speaker"] for cue in cues) if arguments.stems else ():
        name = file_name(speaker or _NARRATOR)
        taken[name.casefold()] += 1
        number = taken[name.casefold()]
        stem = arguments.stems / f"{name}{f' {number}' if number > 1 else ''}{out.suffix}"
        patiently(api, partial(api.download, f"{audio}&speaker={quote(speaker, safe='')}", stem))
        tqdm.write(str(stem))


def _told(cues: list[dict[str, Any]]) -> str:
    n_faster, n_cut, n_late = (
        sum(cue[name] > least for cue in cues) for name, least in (("tempo", 1), ("cut_s", 0), ("late_s", 0))
    )
    told = f"{len(cues)} subtitles: {n_faster} made faster, {n_cut} cut off at the end, {n_late} late"
    late = [str(cue["number"]) for cue in cues if cue["late_s"] > 0]
    named = ", ".join(late[:_MOST_NAMED]) + (" and others" if len(late) > _MOST_NAMED else "")
    return f"{told}. The times of {named} are not kept" if late else told
