"""A job on the disk: its plan, its audio, and what a pause, a full disk and a fault leave of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from glm_tts_api.errors import InternalFault, NothingToSay, QueueFull
from glm_tts_api.longform.folder import JobFolder
from glm_tts_api.longform.job import Speak, Spoken, Unit, plan, unit_voices
from glm_tts_api.longform.jobs import run_job
from glm_tts_api.longform.script import Block, Book, Chapter
from glm_tts_api.longform.shelf import Look
from tests.longform.books import PAUSES, book_of, new_job

N_SAMPLES = 240


async def tone(unit: Unit) -> Spoken:
    return Spoken(np.full(N_SAMPLES, 0.25, np.float32), 24000)


def run(folder: JobFolder, speak: Speak = tone, **options: Any) -> None:
    asyncio.run(run_job(Look(folder), speak, **options))


def test_the_same_book_and_seed_give_the_same_plan() -> None:
    book = book_of(2, 3)
    units = list(plan(book, seed=1, pauses=PAUSES))
    assert units == list(plan(book, seed=1, pauses=PAUSES))
    assert [unit.index for unit in units] == list(range(8))
    assert [unit.text for unit in units[:2]] == ["第1章", "这是第1章的第0段，说的是江南的春天和那里的人们。"]
    assert [unit.pause_s for unit in units[:4]] == [1.0, 0.5, 0.5, 2.0]
    assert len({unit.seed for unit in units}) == 8
    others = plan(book, seed=2, pauses=PAUSES)
    assert {unit.seed for unit in units}.isdisjoint(unit.seed for unit in others)


def test_what_cannot_be_said_is_no_unit() -> None:
    book = Book((Chapter("", (Block("* * *"), Block("开始。"))), Chapter("空", (Block("——"),))))
    assert [unit.text for unit in plan(book, seed=1, pauses=PAUSES)] == ["开始。"]


def test_marks_hold_until_the_next_one_but_a_speaker_keeps_his_voice() -> None:
    texts = ["[[voice B]]一段。", "二段。", "[[speed 2]]三段。", "[[voice]][[speed 1]]四段。", "五段。"]
    blocks = [Block(text) for text in texts] + [Block("[[voice B]]六段。"), Block("七段。", voice="王")]
    units = plan(Book((Chapter("", tuple(blocks)),)), seed=1, pauses=PAUSES)
    assert [unit.text for unit in units] == [
        "[[voice B]]一段。",
        "[[voice B]]二段。",
        "[[voice B]][[speed 2]]三段。",
        "[[voice B]][[speed 2]][[voice]][[speed 1]]四段。",
        "[[speed 1]]五段。",
        "[[speed 1]][[voice B]]六段。",
        "[[speed 1]]七段。",
    ]


def test_a_mood_holds_in_a_book_and_to_the_end_of_a_speakers_line() -> None:
    long = "这一句话相当长，这样一段话就会分成几个部分来说了。" * 3
    blocks = (
        Block("[[mood glad]]一段。"),
        Block(f"[[mood sad]]{long}{long}", voice="王"),
        Block("三段。"),
        Block("[[mood]]四段。"),
        Block("五段。"),
    )
    units = [*plan(Book((Chapter("", blocks),)), seed=1, pauses=PAUSES)]
    texts = [unit.text for unit in units]
    spoken = texts.index("[[voice :glad]]三段。")
    assert texts[0] == "[[mood glad]]一段。"
    assert spoken > 2
    assert all(text.startswith("[[voice :sad]]") for text in texts[2:spoken])
    assert texts[spoken + 1 :] == ["[[voice :glad]][[mood]]四段。", "五段。"]
    assert unit_voices(texts[2], "王") == {"王:sad": ":sad"}
    assert unit_voices(texts[spoken], None) == {":glad": ":glad"}


def test_a_job_is_spoken_whole_with_its_pauses(tmp_path: Path) -> None:
    folder = new_job(tmp_path / "job", book_of(2, 2))
    job = folder.read()
    assert [(each.title, each.first, each.n_units) for each in job.chapters] == [
        ("第1章", 0, 3),
        ("第2章", 3, 3),
    ]
    run(folder, at_once=3)
    made = folder.made(job.n_units)
    assert made.n_units == made.prefix() == 6
    assert list(made.speech) == [N_SAMPLES] * 6
    assert list(made.silence) == [24000, 12000, 48000] * 2
    pcm, rate = soundfile.read(folder.audio_file(0, N_SAMPLES, 24000))
    assert rate == 24000
    np.testing.assert_allclose(pcm, 0.25, atol=1e-4)


def test_sentences_that_are_spoken_one_by_one_do_not_run_into_each_other(tmp_path: Path) -> None:
    """The quiet that a piece ends with is part of its pause."""
    block = Block("春天来了，江南的花都开了，人们走出家门去看花。" * 6)

    async def speak(unit: Unit) -> Spoken:
        quiet = np.full(24 * (100, 1000, 0)[unit.index], 0.001, np.float32)
        return Spoken(np.concatenate([(await tone(unit)).pcm, quiet]), 24000)

    folder = new_job(tmp_path / "job", Book((Chapter("", (block,)),)))
    run(folder, speak)
    assert list(folder.made(3).silence) == [24 * 300, 0, 48000]


def test_a_refused_unit_comes_back_when_it_is_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glm_tts_api.longform.jobs._AGAIN_S", 0.01)
    folder = new_job(tmp_path / "job", book_of(1, 1))
    full = QueueFull("full", retry_after_s=0.001)
    refusals: list[Exception] = [full, InternalFault(), full]

    async def speak(unit: Unit) -> Spoken:
        if refusals:
            raise refusals.pop()
        if unit.index == 1:
            raise NothingToSay("nothing")
        return await tone(unit)

    run(folder, speak)
    assert list(folder.made(2).speech) == [N_SAMPLES, 0], "what cannot be said is silent"
    refusals += [InternalFault()] * 3
    with pytest.raises(InternalFault):
        run(new_job(tmp_path / "other", book_of(1, 0)), speak)
