"""What the benchmark says of a listener: when sound begins, and for how long it stops."""

from __future__ import annotations

import pytest

from bench.asking import Heard


@pytest.mark.parametrize(
    ("pieces", "held_s", "gap_s"),
    [
        ([(0.3, 0.5), (0.7, 1.0), (1.5, 1.0)], 0.0, 0.0),
        ([(0.2, 0.5), (1.0, 0.5), (1.6, 0.5)], 0.0, 0.3),  # dry from 0.7 to 1.0, and from 1.5 to 1.6
        ([(0.2, 0.4), (0.4, 0.4), (1.4, 0.4)], 0.5, 0.2),  # begins at 0.4, dry at 1.2
    ],
)
def test_a_gap_is_counted_from_when_the_player_runs_dry(
    pieces: list[tuple[float, float]], held_s: float, gap_s: float
) -> None:
    assert max(Heard(pieces).gaps_s(held_s)) == pytest.approx(gap_s)
