"""What the benchmark says of a listener: when sound begins, and for how long it stops."""

from __future__ import annotations

import pytest

from bench.asking import Heard
from bench.serve import stream_row
from bench.streaming import StreamFloor


@pytest.mark.parametrize(
    ("pieces", "held_s", "gap_s"),
    [
        ([(0.3, 0.5), (0.7, 1.0), (1.5, 1.0)], 0.0, 0.0),
        ([(0.2, 0.5), (1.0, 0.5), (1.6, 0.5)], 0.0, 0.3),  # dry from 0.7 to 1.0, and from 1.5 to 1.6
        ([(0.2, 0.4), (0.4, 0.4), (1.4, 0.4)], 0.0, 0.4),  # dry at 1.0
        ([(0.2, 0.4), (0.4, 0.4), (1.4, 0.4)], 0.5, 0.2),  # begins at 0.4, dry at 1.2
    ],
)
def test_a_gap_is_counted_from_when_the_player_runs_dry(
    pieces: list[tuple[float, float]], held_s: float, gap_s: float
) -> None:
    assert max(Heard(pieces).gaps_s(held_s)) == pytest.approx(gap_s)


def test_rates_over_several_listeners() -> None:
    assert Heard([(0.2, 0.5), (1.0, 0.5), (1.6, 0.5)]).smooth_from_s == pytest.approx(0.6)
    floor = StreamFloor(tokens_s=0.05, flow_s=0.04, vocoder_s=0.01)
    found = stream_row(2, [Heard([(0.1, 1.0)]), Heard([(0.3, 0.1), (1.0, 0.1)])], 2.0, floor)
    assert (found["underrun_rate"], found["first_audio_p95_s"]) == (0.5, 0.3)
    assert found["to_floor"] == pytest.approx(3)
    assert found["audio_s_per_s"] == pytest.approx(0.6)
