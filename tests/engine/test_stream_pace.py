"""When a streamed answer's audio comes, and whether its player runs dry."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glm_tts_api.engine.stream_pace import LONGEST_WAIT_S, Pace, forecast

CHUNKS = (12, 25, 50, 100)
FAST = Pace(prefill_s=0.1, token_s=0.002, flow_s=0.01, flow_token_s=0.0001, vocoder_token_s=0.0001)


def test_the_first_audio_waits_for_its_tokens_and_one_pass_over_prompt_and_window() -> None:
    """12 tokens, 6 behind them and the one that shows that more come; 125 tokens of prompt."""
    expected = 0.1 + 19 * 0.002 + 0.01 + 0.0001 * (125 + 18) + 0.0001 * 18
    found = forecast(FAST, CHUNKS)
    assert found.first_audio_s == pytest.approx(expected)
    assert (found.runs_dry, found.longest_gap_s) == (False, 0)
    assert "never waits again" in str(found)


def test_a_schedule_that_grows_too_fast_has_gaps() -> None:
    """12 tokens, 0.24 s of which are heard, cannot cover the 200 that come next."""
    found = forecast(replace(FAST, token_s=0.02), (12, 200))
    assert found.runs_dry
    assert "spans of 12, 200 tokens" in str(found)
    assert "and then silence" in str(found)


def test_a_gap_is_as_long_as_the_audio_is_late() -> None:
    """Tokens alone take time, 0.1 s each. 12 are cut with 19 and 0.24 s of them heard, 20 with 27: 0.8 s
    later."""
    tokens_only = Pace(prefill_s=0, token_s=0.1, flow_s=0, flow_token_s=0, vocoder_token_s=0)
    found = forecast(tokens_only, (12, 8), n_tokens=28)
    assert found.first_audio_s == pytest.approx(1.9)
    assert found.longest_gap_s == pytest.approx(0.8 - 0.24)


SECONDS = st.floats(0, 0.1)
PACES = st.builds(
    Pace,
    prefill_s=SECONDS,
    token_s=SECONDS,
    flow_s=SECONDS,
    flow_token_s=st.floats(0, 0.01),
    vocoder_token_s=st.floats(0, 0.01),
    one_core=st.booleans(),
)


@given(PACES)
def test_a_gapless_start_has_no_gaps_unless_it_has_waited_as_long_as_it_may(pace: Pace) -> None:
    found, soonest = forecast(pace, CHUNKS, gapless=True), forecast(pace, CHUNKS)
    latest_s = soonest.first_audio_s + LONGEST_WAIT_S
    assert found.longest_gap_s == pytest.approx(0) or found.first_audio_s == latest_s
    assert soonest.first_audio_s <= found.first_audio_s <= latest_s


def test_a_gapless_start_is_no_later_than_needed() -> None:
    """Tokens alone take time, 0.02 s each; 12 are cut with 19, the other 36 with the last."""
    tokens_only = Pace(prefill_s=0, token_s=0.02, flow_s=0, flow_token_s=0, vocoder_token_s=0)
    found = forecast(tokens_only, (12, 50), n_tokens=48, gapless=True)
    assert found.first_audio_s == pytest.approx(48 * 0.02 - 0.24)
