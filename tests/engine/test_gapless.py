"""Whether players run dry, on simulated machines of many speeds. The plan, the requests and the order of
renders are the project's own."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest

from glm_tts_api.engine.stream_pace import LONGEST_WAIT_S
from tests.engine.exact_machine import Machine, Player, Speed

Start = Callable[[Speed], Machine]
AVX2 = Speed()  # the bundled model with two flow steps, on two cores
SPEEDS = {
    "2 flow steps": AVX2,
    "10 flow steps": replace(AVX2, flow_steps=10),
    "slower than heard in a crowd": replace(AVX2, flow_steps=10).slower(2),
    "GPU": Speed(0.006, 0.004, 0.000003, 0.008, 0.00001, flow_steps=10, one_core=0),
}
LENGTHS = (*range(20, 200, 5), *range(200, 750, 80))


def lengths(n: int, *, longest: int = 300, seed: int = 0) -> list[int]:
    return [random.Random(seed + number).randint(20, longest) for number in range(n)]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Start:
    """Starts a machine. From then on its time is the requests' time."""

    def start(speed: Speed) -> Machine:
        machine = Machine(speed)
        clock = SimpleNamespace(perf_counter=lambda: machine.now)
        monkeypatch.setattr("glm_tts_api.engine.request.time", clock)
        return machine

    return start


def dry(players: list[Player]) -> dict[int, float]:
    """The seconds for which players had no audio, by the length of the answer."""
    return {player.n_tokens: player.gap_s for player in players if player.gap_s > 0.02}


@pytest.mark.parametrize("noise", [0.0, 0.03])
@pytest.mark.parametrize("speed", SPEEDS.values(), ids=SPEEDS)
def test_no_lone_player_runs_dry_whatever_the_length(start: Start, speed: Speed, noise: float) -> None:
    assert dry(start(replace(speed, noise=noise)).serve(LENGTHS)) == {}


@pytest.mark.parametrize("at_once", [2, 4, 8])
@pytest.mark.parametrize("name", ["2 flow steps", "10 flow steps", "GPU"])
def test_no_player_runs_dry_beside_others(start: Start, name: str, at_once: int) -> None:
    """With eight at once and ten flow steps, a second of speech takes more than two seconds."""
    players = start(replace(SPEEDS[name], noise=0.03)).serve(lengths(30), at_once=at_once)
    assert dry(players) == {}


def test_no_lone_player_runs_dry_while_another_program_comes_and_goes(start: Start) -> None:
    machine = start(replace(AVX2, noise=0.03))
    quiet = machine.serve(lengths(10))
    machine.speed = machine.speed.slower(2)
    busy = machine.serve(lengths(10, seed=1))
    machine.speed = replace(AVX2, noise=0.03)
    later = machine.serve(lengths(10, seed=2))
    assert dry([*quiet, *busy, *later]) == {}
    assert later[-1].first_audio_s < 1.2 * max(player.first_audio_s for player in quiet)


def test_what_was_measured_badly_at_the_start_is_forgotten(start: Start) -> None:
    """The flow's times of a start at which another program ran."""
    machine = start(AVX2)
    machine.starts.measured(replace(machine.pace, flow_s=-3.0, flow_token_s=0.02), n_renderers=2)
    first, *_, last = machine.serve([300] * 5)
    assert dry([first, last]) == {}
    assert last.first_audio_s < 1 < first.first_audio_s


def test_no_player_waits_longer_than_it_may(start: Start) -> None:
    """A second of speech takes some ten seconds."""
    players = start(AVX2.slower(30)).serve([300, 300])
    assert [player.first_audio_s - player.first_made_s for player in players] == [
        pytest.approx(LONGEST_WAIT_S)
    ] * 2
