"""Threads that change the same voices at once: no change is lost, and none comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from glm_tts_api.errors import UnknownVoice, VoiceChanged
from glm_tts_api.voices.store import VoiceStore
from tests.recordings import voice_wav
from tests.voices.shelf import OTHER_WAV, WAV, names, open_store

N_ROUNDS = 20


def together(*actions: Callable[[], object]) -> None:
    """Runs each in a thread of its own, all let go at the same moment; an UnknownVoice is an answer."""
    gate = threading.Barrier(len(actions))

    def run(action: Callable[[], object]) -> None:
        gate.wait()
        with suppress(UnknownVoice):
            action()

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_new_text_and_a_new_recording_at_once_are_both_kept(
    store: VoiceStore, configs: Path, own: Path
) -> None:
    other = open_store(configs, own)
    store.add("mine", "0", WAV)
    recordings = [voice_wav(1.5 + step / 10) for step in range(2)]
    for step in range(1, N_ROUNDS + 1):
        recording = recordings[step % 2]
        together(
            partial(store.replace, "mine", str(step), None), partial(other.replace, "mine", None, recording)
        )
        assert (store.get("mine").transcript, store.audio("mine")[0]) == (str(step), recording)


def test_a_deleted_voice_does_not_come_back(store: VoiceStore, configs: Path, own: Path) -> None:
    other = open_store(configs, own)
    for _ in range(N_ROUNDS):
        store.add("mine", "text", WAV)
        together(lambda: store.remove("mine"), lambda: other.replace("mine", "changed", OTHER_WAV))
        assert names(store) == names(other) == ["exampleA"]
    assert list((own / "recordings").iterdir()) == []


def change_if(stores: list[VoiceStore], number: int, *, version: str, step: int, refused: list[int]) -> None:
    try:
        stores[number].replace("mine", f"{step} {number}", None, only_if=[version])
    except VoiceChanged:
        refused.append(number)


def test_of_two_changes_meant_for_the_same_state_one_is_made(
    store: VoiceStore, configs: Path, own: Path
) -> None:
    stores = [store, open_store(configs, own)]
    store.add("mine", "text", WAV)
    for step in range(N_ROUNDS):
        refused: list[int] = []
        change = partial(change_if, stores, version=store.info("mine").version, step=step, refused=refused)
        together(partial(change, 0), partial(change, 1))
        assert len(refused) == 1
        assert store.get("mine").transcript == f"{step} {1 - refused[0]}"


def test_many_writers_in_many_threads_lose_nothing(configs: Path, own: Path) -> None:
    stores = [open_store(configs, own) for _ in range(4)]

    def write(number: int) -> None:
        for step in range(5):
            stores[number].add(f"voice{number}-{step}", f"text {step}", WAV)

    together(*(lambda number=number: write(number) for number in range(4)))
    assert len(names(open_store(configs, own))) == 21
