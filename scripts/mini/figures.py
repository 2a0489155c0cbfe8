"""Computes the reported figures from verdicts: the rows of a table, and the limits a checkpoint must meet."""

from dataclasses import dataclass
from statistics import median

import numpy as np

from scripts.mini.judging import Verdict
from scripts.mini.speaking import Said


@dataclass(frozen=True)
class Row:
    """The figures of one test condition in one voice.

    Error rates are errors per unit (word or phone). `run_on` and `early_stop` are shares of the segments.
    `espeak_` figures are those of espeak-ng's speech. `f0_to_prompt` is the ratio of the median F0 to the
    prompt's.
    """

    condition: str
    voice: str
    n_segments: int
    error_rate: float
    error_rate_sigma: float
    espeak_error_rate: float
    duration_ratio: float
    run_on: float
    early_stop: float
    f0_to_prompt: float
    melody: float
    similarity_own: float
    similarity_other: float
    cpu_rtf: float
    wall_rtf: float


def error_rate(verdicts: list[Verdict]) -> float:
    return sum(v.errors for v in verdicts) / max(1, sum(v.n_units for v in verdicts))


def espeak_error_rate(verdicts: list[Verdict]) -> float:
    return sum(v.reference_errors for v in verdicts) / max(1, sum(v.n_units for v in verdicts))


def error_rate_sigma(verdicts: list[Verdict], *, n_resamples: int = 300) -> float:
    """Returns the standard error of the error rate by bootstrap over the segments."""
    pairs = np.array([(v.errors, v.n_units) for v in verdicts])
    picks = np.random.default_rng(0).integers(0, len(pairs), (n_resamples, len(pairs)))
    sums = pairs[picks].sum(1)
    return float((sums[:, 0] / np.maximum(1, sums[:, 1])).std())


def share(flags: list[bool]) -> float:
    return sum(flags) / max(1, len(flags))


def median_of(values: list[float]) -> float:
    known = [value for value in values if value == value]
    return median(known) if known else float("nan")


def summary(
    condition: str, voice: str, *, verdicts: list[Verdict], spoken: list[Said], prompt_f0: float
) -> Row:
    audio_s = max(1e-6, sum(said.audio_s for said in spoken))
    return Row(
        condition=condition,
        voice=voice,
        n_segments=len(verdicts),
        error_rate=error_rate(verdicts),
        error_rate_sigma=error_rate_sigma(verdicts),
        espeak_error_rate=espeak_error_rate(verdicts),
        duration_ratio=median_of([v.duration_ratio for v in verdicts]),
        run_on=share([v.run_on for v in verdicts]),
        early_stop=share([v.early_stop for v in verdicts]),
        f0_to_prompt=median_of([v.f0 for v in verdicts]) / prompt_f0,
        melody=median_of([v.melody for v in verdicts]),
        similarity_own=median_of([v.own for v in verdicts]),
        similarity_other=median_of([v.other for v in verdicts]),
        cpu_rtf=sum(said.cpu_s for said in spoken) / audio_s,
        wall_rtf=sum(said.wall_s for said in spoken) / audio_s,
    )


HEADER = (
    f"{'condition':<26} {'voice':<10} {'n':>4} {'errors':>14} {'espeak':>7} {'length':>7} {'run-on':>7} "
    f"{'early':>6} {'F0':>5} {'melody':>6} {'own':>5} {'other':>6} {'RTF cpu':>8} {'wall':>5}"
)


def line(row: Row) -> str:
    """Formats the figures of a row as a line of text, in the columns of HEADER."""
    return (
        f"{row.condition:<26} {row.voice:<10} {row.n_segments:>4} "
        f"{row.error_rate:>6.3f} ± {row.error_rate_sigma:<5.3f} {row.espeak_error_rate:>7.3f} "
        f"{row.duration_ratio:>7.2f} {row.run_on:>7.1%} {row.early_stop:>6.1%} {row.f0_to_prompt:>5.2f} "
        f"{row.melody:>6.2f} {row.similarity_own:>5.2f} {row.similarity_other:>6.2f} "
        f"{row.cpu_rtf:>8.2f} {row.wall_rtf:>5.2f}"
    )


@dataclass(frozen=True)
class Bar:
    """A figure of a checkpoint and the upper limit that it must not exceed."""

    name: str
    value: float
    limit: float

    def __str__(self) -> str:
        verdict = "met" if self.value <= self.limit else "NOT met"
        return f"{self.name:<42} {self.value:>7.3f}   at most {self.limit:<5} {verdict}"


def bars(verdicts: dict[str, list[Verdict]], rows: list[Row], *, size_mb: float) -> list[Bar]:
    """Returns the figures that have a limit.

    `verdicts` maps each condition to its verdicts over all voices.
    """
    english, chinese = verdicts["en sentences"], verdicts["zh sentences"]
    every = [verdict for found in verdicts.values() for verdict in found]

    def times(found: list[Verdict], base: float) -> float:
        return error_rate(found) / max(1e-6, base)

    return [
        Bar("English WER, times espeak-ng's", times(english, espeak_error_rate(english)), 1.5),
        Bar("Chinese PER", error_rate(chinese), 0.10),
        Bar(
            "English paragraphs, times the sentences",
            times(verdicts["en paragraphs"], error_rate(english)),
            1.3,
        ),
        Bar(
            "Chinese paragraphs, times the sentences",
            times(verdicts["zh paragraphs"], error_rate(chinese)),
            1.3,
        ),
        Bar("segments that run on or stop early", share([v.run_on or v.early_stop for v in every]), 0.01),
        Bar("median F0, share off the prompt's", max(abs(row.f0_to_prompt - 1) for row in rows), 0.10),
        Bar("CPU seconds a second of speech", max(row.cpu_rtf for row in rows), 0.5),
        Bar("size, MB", size_mb, 40.0),
    ]
