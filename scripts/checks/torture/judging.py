"""Judges a soak test by the server's answers, memory, threads, files and speed."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scripts.checks.torture.asking import Ledger
from scripts.checks.torture.verdict import Verdict
from scripts.checks.torture.watching import (
    Held,
    Watch,
    cpu_per_audio,
    cpu_per_request,
    least_mapped,
    least_mb,
    left_in,
    most,
)
from tests.api.server_process import Server

MOST_GROWTH = 0.02
MOST_SLOWER = 0.15  # as a share of the CPU time, which other programs on the machine influence too
OF_A_POOL = re.compile(r"(asyncio|beside|book|decode-upload|encode|files|reading|text)_\d+")


@dataclass(frozen=True)
class Rest:
    """A process while the server is idle: its memory and files (`held`), and its Python threads' names."""

    held: Held
    threads: frozenset[str]


def told_by_the_log(path: Path) -> dict[str, list[str]]:
    """Reads the server's log (JSON lines), and returns the outcomes of each request for speech by request id.

    A request with several outcomes has several lines in the log.
    """
    outcomes: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line) if line.startswith("{") else {}
        if record.get("logger") == "glm_tts_api.request" and "outcome" in record:
            outcomes.setdefault(record["request_id"], []).append(record["outcome"])
    return outcomes


def disagreements(expected: dict[str, Collection[str]], told: dict[str, list[str]]) -> list[str]:
    """Returns a line for each request whose outcomes in the log (`told`) do not fit its `expected` outcomes.

    A request fits with one line in the log whose outcome is expected, or without a line if "" is expected.
    """
    seen = {id: told.get(id, [""]) for id in expected}
    return [
        f"{id}: {outcomes or 'no line'}"
        for id, outcomes in seen.items()
        if len(outcomes) != 1 or outcomes[0] not in expected[id]
    ]


def judge_answers(server: Server, ledger: Ledger, verdict: Verdict, n_kills: int) -> None:
    asked, scrape = sum(ledger.n_asked.values()), server.scrape()
    verdict.note("undertakings of the clients", f"{asked}, with {len(ledger.expected)} requests for speech")
    verdict.note("kill -9 of an engine", f"{n_kills}, {scrape('requests_resumed_total'):g} requests went on")
    verdict.note_faults("answers that nobody provoked", ledger.faults, asked)
    told = told_by_the_log(server.log)
    wrong = disagreements(ledger.expected, told)
    verdict.note_faults("requests that client and log tell otherwise", wrong, len(ledger.expected))
    logged = Counter(outcome for outcomes in told.values() for outcome in outcomes)
    counted = {outcome: scrape("requests_total", outcome=outcome) for outcome in logged}
    same = counted == logged and scrape("requests_total") == logged.total()
    verdict.note("the log's outcomes and those of /metrics", f"{dict(logged)}, {counted}", holds=same)
    verdict.figures |= {"asked": dict(ledger.n_asked), "faults": ledger.faults, "disagreements": wrong}


def judge_memory(watch: Watch, verdict: Verdict, minutes: float) -> None:
    """Notes how the memory, threads, files and CPU time of the server and the engine changed during the soak.

    A window is a twelfth of the soak's `minutes`. Memory is compared between the window that begins after a
    quarter of the time and the last window, CPU time between the first and the last window. The checks that
    may fail are anonymous memory and CPU time: pages of files come and go as other programs need memory.
    """
    window_s = 60 * minutes / 12
    first = watch.between(0, window_s)
    warm = watch.between(3 * window_s, 4 * window_s)
    last = watch.between(11 * window_s, watch.elapsed_s)
    for of in ("server", "engine"):
        for kind in ("anonymous_mb", "resident_mb"):
            before, now = least_mb(warm, of, kind), least_mb(last, of, kind)
            growth = now / before - 1
            verdict.note(
                f"{kind.removesuffix('_mb')} memory of the {of} after minute {minutes / 4:g}",
                f"{before:.0f} -> {now:.0f} MB, {100 * growth:+.1f} %",
                holds=kind == "resident_mb" or growth < MOST_GROWTH,
            )
        then, at_end = least_mapped(warm, of), least_mapped(last, of)
        seen = ", ".join(f"{kind} {then[kind]:.0f} -> {at_end.get(kind, 0):.0f}" for kind in then)
        verdict.note(f"of that, of the {of}", f"{seen} MB")
        for what in ("threads", "files"):
            seen = f"{most(warm, of, what)}, {most(last, of, what)}"
            verdict.note(f"most {what} of the {of}, then and at the end", seen)
    for what, cost in (
        ("server's CPU for a request", cpu_per_request),
        ("engine's CPU for a second of speech", cpu_per_audio),
    ):
        before, now = cost(first), cost(last)
        seen = f"{1000 * before:.1f} -> {1000 * now:.1f} ms"
        verdict.note(
            f"{what}, first and last {window_s / 60:g} minutes",
            seen,
            holds=not now > before * (1 + MOST_SLOWER),
        )


def judge_rest(before: dict[str, Rest], after: dict[str, Rest], verdict: Verdict) -> None:
    """Notes whether threads or open files are left over, by comparing the idle processes before and after.

    Both arguments map "server" and "engine" to a Rest. New threads of a thread pool are allowed, since a pool
    starts its threads one by one up to its limit, and keeps them.
    """
    for of, rest in before.items():
        held, now = rest.held, after[of].held
        begun = {name for name in after[of].threads - rest.threads if OF_A_POOL.fullmatch(name)}
        seen = (
            f"{held.threads} -> {now.threads} threads ({', '.join(sorted(begun)) or 'none'} of pools), "
            f"{held.files} -> {now.files} files, "
            f"{held.resident_mb:.0f} -> {now.resident_mb:.0f} MB without what clear_cache drops"
        )
        holds = now.threads <= held.threads + len(begun) and now.files <= held.files
        verdict.note(f"the {of} at rest, before and after", seen, holds=holds)
    verdict.figures["at_rest"] = {
        when: {of: asdict(each.held) for of, each in rests.items()}
        for when, rests in (("before", before), ("after", after))
    }


def judge_files(server: Server, scratch: Path, verdict: Verdict) -> None:
    left = left_in(scratch) | left_in(Path(f"/proc/{server.process.pid}/root/dev/shm"))
    verdict.note("files left in TMPDIR and /dev/shm", left or "none", holds=not left)
    left_behind: dict[str, Any] = {
        "voices": [each["index"] for each in server.client.get("/api/v1/prompts").json()["prompts"]],
        "words": [each["word"] for each in server.client.get("/api/v1/lexicon").json()["entries"]],
        "books": [each["id"] for each in server.client.get("/api/v1/jobs").json()["jobs"]],
    }
    clean = left_behind == {"voices": ["exampleA", "exampleB"], "words": [], "books": []}
    verdict.note("voices, words and books at the end", left_behind, holds=clean)
