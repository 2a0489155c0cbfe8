"""What the benchmark says of a listener: when sound begins, and for how long it stops."""

from __future__ import annotations

import pytest

from bench.asking import Heard
from bench.serve import stream_row
from bench.streaming import StreamFloor


def test_a_player_that_always_has_enough_never_stops() -> None:
    heard = Heard([(0.3, 0.5), (0.7, 1.0), (1.5, 1.0)])
    assert heard.first_s == 0.3
    assert max(heard.gaps_s(0.0)) <= 0


def test_a_gap_is_counted_from_when_the_player_runs_dry() -> None:
    heard = Heard([(0.2, 0.5), (1.0, 0.5), (1.6, 0.5)])  # dry from 0.7 to 1.0, and from 1.5 to 1.6
    assert max(heard.gaps_s(0.0)) == pytest.approx(0.3)


def test_audio_that_is_held_back_at_first_shortens_the_gap() -> None:
    heard = Heard([(0.2, 0.4), (0.4, 0.4), (1.4, 0.4)])
    assert max(heard.gaps_s(0.0)) == pytest.approx(0.4)  # dry at 1.0
    assert max(heard.gaps_s(0.5)) == pytest.approx(0.2)  # begins at 0.4, dry at 1.2


def test_a_player_that_starts_late_enough_never_stops() -> None:
    heard = Heard([(0.2, 0.5), (1.0, 0.5), (1.6, 0.5)])
    assert heard.smooth_from_s == pytest.approx(0.6)  # the third piece plays a second later, at 1.6
    assert heard.ended_s == 1.6


def test_rates_over_several_listeners() -> None:
    smooth, gappy = Heard([(0.1, 1.0)]), Heard([(0.3, 0.1), (1.0, 0.1)])
    floor = StreamFloor(tokens_s=0.05, flow_s=0.04, vocoder_s=0.01)
    found = stream_row(2, [smooth, gappy], 2.0, floor)
    assert (found["underrun_rate"], found["first_audio_p95_s"]) == (0.5, 0.3)
    assert found["to_floor"] == pytest.approx(3)
    assert found["audio_s_per_s"] == pytest.approx(0.6)
