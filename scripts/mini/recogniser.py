"""Trains the Chinese phone recogniser that evaluates the mini model, on voices that the mini never had.

python -m scripts.mini.recogniser --minutes 20       trains (or goes on training) in .mini/recogniser
python -m scripts.mini.recogniser --test             phone error rates on texts and voices kept apart
"""

import argparse
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy
import torch
from torch import Tensor
from torch.nn import functional as F

from scripts.mini.espeak import SAMPLE_RATE as ESPEAK_RATE
from scripts.mini.espeak import VOICES, Espeak, trim_bounds
from scripts.mini.phone_recogniser import (
    SAMPLE_RATE,
    Listener,
    LogMel,
    PhoneRecogniser,
    RecogniserConfig,
    config_state,
    edit_distance,
    spoken_phones,
)
from scripts.mini.sentences import SentenceMaker
from scripts.mini.training import Run, warm_cosine

TRAINING_VOICES = (
    *("m1", "m2", "m3", "m4", "m5", "m7", "m8", "f1", "f2", "f4", "f5"),
    *(
        "Alex",
        "Alicia",
        "Andrea",
        "Andy",
        "Annie",
        "Diogo",
        "Gene",
        "Lee",
        "Marco",
        "Michael",
        "Mike",
        "Reed",
    ),
    *("adam", "anika", "belinda", "benjamin", "boris", "caleb", "david", "ed", "edward", "gustave", "ian"),
    *("iven", "john", "linda", "max", "miguel", "norbert", "pablo", "paul", "quincy", "rob", "robert"),
    *("shelby", "steph2", "travis", "victor", "zac"),
)
TEST_VOICES = ("m6", "f3", "steph", "Mario")
SEED, TEST_SEED = 71, 7001
CLIPS_PER_ROUND, PASSES_PER_ROUND = 256, 2
BATCH_FRAMES = 5000
PEAK_LR = 2e-3


@dataclass(frozen=True)
class PhoneClip:
    """A clip: its log mel [T, 80], the class of each phone, and each phone's start in frames of 10 ms."""

    log_mel: Tensor
    classes: Tensor
    starts: npt.NDArray[np.float64]


class Speaker:
    """Speaks random Chinese sentences with espeak-ng, and returns them as features of the recogniser."""

    def __init__(self, folder: Path) -> None:
        self._maker = SentenceMaker()
        self._espeak = Espeak(folder)
        self._log_mel = LogMel()

    def inventory(self) -> tuple[str, ...]:
        """Returns the sorted phones that occur at least three times in the Hanzi of the training texts."""
        words = self._espeak.phonemes(self._maker.hanzi, language="zh")
        counts: dict[str, int] = {}
        for word in words:
            for phone in word:
                counts[phone] = counts.get(phone, 0) + 1
        return tuple(sorted(phone for phone, n in counts.items() if n >= 3))

    def text(self, rng: random.Random) -> str:
        while True:
            sentence = self._maker.make(rng)
            if sentence.language == "zh" and not any(c.isascii() and c.isalpha() for c in sentence.text):
                return sentence.text

    def clip(
        self, text: str, phones: tuple[str, ...], *, voice: str, rng: random.Random, spoil: bool
    ) -> PhoneClip | None:
        """Speaks `text`, with `spoil` sometimes in a room. None if it is too short or has unknown phones."""
        speech = self._espeak.synthesize(text, language="zh", voice=voice, pitch=rng.randint(30, 70))
        start, end = trim_bounds(speech.wave)
        said = speech.wave[start:end].astype(np.float32) / 32768
        wave = scipy.signal.resample_poly(said, 320, 441).astype(np.float32)
        before, after = rng.uniform(0, 0.3), rng.uniform(0, 0.3)
        wave = np.pad(wave, (int(before * SAMPLE_RATE), int(after * SAMPLE_RATE)))
        if spoil and rng.random() < 0.3:
            wave = _in_a_room(wave, rng)
        offset = start * 1000 / ESPEAK_RATE - before * 1000
        index = {phone: i + 1 for i, phone in enumerate(phones)}
        spoken = spoken_phones(speech)
        if len(wave) < SAMPLE_RATE // 4 or not all(phone in index for _, phone in spoken):
            return None
        classes = torch.tensor([index[phone] for _, phone in spoken])
        starts = np.array([(ms - offset) / 10 for ms, _ in spoken])
        return PhoneClip(self._log_mel(torch.from_numpy(wave)), classes, starts)


def _in_a_room(wave: npt.NDArray[np.float32], rng: random.Random) -> npt.NDArray[np.float32]:
    noise = np.random.default_rng(rng.getrandbits(32)).standard_normal(int(0.3 * SAMPLE_RATE))
    seconds = np.arange(len(noise)) / SAMPLE_RATE
    response = noise * np.exp(-6.9 * seconds / rng.uniform(0.08, 0.35)) * rng.uniform(0.01, 0.05)
    response[0] = 1.0
    heard: npt.NDArray[np.float32] = scipy.signal.fftconvolve(wave, response)[: len(wave)].astype(np.float32)
    return heard


def augment(clip: PhoneClip, generator: torch.Generator) -> PhoneClip:
    """Returns the clip with random tempo, vocal tract, channel and noise, and with the blur of a vocoder."""

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    x = clip.log_mel
    tempo = uniform(0.8, 1.3)
    x = F.interpolate(x.T[None], size=max(8, round(len(x) * tempo)), mode="linear")[0].T
    bins = (torch.arange(x.shape[1]) * uniform(0.88, 1.13)).clamp(max=x.shape[1] - 1)
    low = bins.long().clamp(max=x.shape[1] - 2)
    x = x[:, low].lerp(x[:, low + 1], bins - low)
    if uniform(0, 1) < 0.4:
        weight = uniform(0, 0.33)
        kernel = torch.tensor([weight, 1 - 2 * weight, weight])[None, None]
        x = F.conv1d(F.pad(x.T[:, None], (1, 1), mode="replicate"), kernel)[:, 0].T
        x = F.conv1d(F.pad(x[:, None], (1, 1), mode="replicate"), kernel)[:, 0]
    channel = torch.randn(1, 1, 7, generator=generator) * uniform(0, 0.5)
    x = x + F.interpolate(channel, size=x.shape[1], mode="linear", align_corners=True)[0]
    floor = x.max() - uniform(1.8, 6.0) + torch.linspace(uniform(-0.5, 0.5), uniform(-0.5, 0.5), x.shape[1])
    noise = torch.empty_like(x).exponential_(generator=generator)
    x = (10**x + noise * 10**floor).log10()
    x = x + torch.randn(x.shape, generator=generator) * uniform(0, 0.2)
    if uniform(0, 1) < 0.3:
        first = int(uniform(0, x.shape[1] - 8))
        x = torch.cat([x[:, :first], x.mean().expand(len(x), 8), x[:, first + 8 :]], 1)
    return PhoneClip(x, clip.classes, clip.starts * tempo)


@dataclass(frozen=True)
class Batch:
    log_mel: Tensor  # [B, T, 80]
    frames: Tensor  # [B]
    classes: Tensor  # the targets of all rows, one after the other
    n_classes: Tensor  # [B]
    frame_classes: Tensor  # [B, ceil(T / 2)], -100 beyond the row's end


def batches(clips: list[PhoneClip], rng: random.Random) -> Iterator[Batch]:
    """Yields batches of about 50 s in random order; the clips in a batch have similar lengths."""
    order = sorted(clips, key=lambda clip: len(clip.log_mel))
    groups: list[list[PhoneClip]] = []
    while order:
        longest = len(order[-1].log_mel)
        n = max(1, BATCH_FRAMES // longest)
        groups.append(order[-n:])
        del order[-n:]
    rng.shuffle(groups)
    for group in groups:
        yield _collate(group)


def _collate(group: list[PhoneClip]) -> Batch:
    longest = max(len(clip.log_mel) for clip in group)
    log_mel = torch.zeros(len(group), longest, group[0].log_mel.shape[1])
    frame_classes = torch.full((len(group), (longest + 1) // 2), -100)
    for row, clip in enumerate(group):
        log_mel[row, : len(clip.log_mel)] = clip.log_mel
        middle = 2 * np.arange((len(clip.log_mel) + 1) // 2) + 1
        phone = np.searchsorted(clip.starts, middle, side="right") - 1
        frame_classes[row, : len(phone)] = torch.where(
            torch.from_numpy(phone >= 0), clip.classes[np.maximum(phone, 0)], 0
        )
    return Batch(
        log_mel,
        torch.tensor([len(clip.log_mel) for clip in group]),
        torch.cat([clip.classes for clip in group]),
        torch.tensor([len(clip.classes) for clip in group]),
        frame_classes,
    )


def losses(model: PhoneRecogniser, batch: Batch) -> tuple[Tensor, Tensor]:
    """Returns the CTC loss, and the cross-entropy of the phone at each frame, which speeds up learning."""
    with torch.autocast("cpu", torch.bfloat16):
        hidden = model.hidden(batch.log_mel, batch.frames)
        scores, frame_scores = model.head(hidden), model.frame_head(hidden)
    log_probs = scores.float().log_softmax(-1).transpose(0, 1)
    ctc = F.ctc_loss(log_probs, batch.classes, (batch.frames + 1) // 2, batch.n_classes, zero_infinity=True)
    return ctc, F.cross_entropy(
        frame_scores.float().flatten(0, 1), batch.frame_classes.flatten(), ignore_index=-100
    )


@torch.inference_mode()
def error_rate(model: PhoneRecogniser, speaker: Speaker, voices: tuple[str, ...], *, n: int) -> float:
    """Returns the phone error rate on `n` texts outside of training, spoken by `voices` in turn."""
    rng = random.Random(TEST_SEED)
    errors = total = 0
    phones = model.config.phones
    for i in range(n):
        text = speaker.text(rng)
        clip = speaker.clip(text, phones, voice=voices[i % len(voices)], rng=rng, spoil=False)
        if clip is None:
            continue
        with torch.autocast("cpu", torch.bfloat16):
            heard = model.decode(clip.log_mel)
        reference = [phones[c - 1] for c in clip.classes.tolist()]
        errors += edit_distance(reference, heard)
        total += len(reference)
    return errors / total


def train(folder: Path, *, minutes: float) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    run = Run(folder / "recogniser", minutes=minutes)
    state = run.resume()
    speaker = Speaker(folder)
    config = RecogniserConfig(**state["config"]) if state else RecogniserConfig(speaker.inventory())
    model = PhoneRecogniser(config)
    optimiser = torch.optim.AdamW(model.parameters(), lr=PEAK_LR, betas=(0.9, 0.98), weight_decay=0.02)
    round_number = 0
    if state:
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        round_number = state["round"]
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters, {len(config.phones)} phones")

    def everything() -> dict[str, object]:
        return {"config": config_state(config), "model": model.state_dict(), "round": round_number,
                "optimiser": optimiser.state_dict()}  # fmt: skip

    while run.progress < 1:
        rng = random.Random(f"{SEED} {round_number}")
        spoken = (
            speaker.clip(
                speaker.text(rng), config.phones, voice=rng.choice(TRAINING_VOICES), rng=rng, spoil=True
            )
            for _ in range(CLIPS_PER_ROUND)
        )
        clips = [clip for clip in spoken if clip is not None]
        generator = torch.Generator().manual_seed(SEED + round_number)
        for _ in range(PASSES_PER_ROUND):
            for batch in batches([augment(clip, generator) for clip in clips], rng):
                for group in optimiser.param_groups:
                    group["lr"] = PEAK_LR * warm_cosine(run.progress, run.step)
                ctc, frame = losses(model, batch)
                (ctc + 0.5 * frame).backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimiser.step()
                optimiser.zero_grad()
                run.step += 1
        round_number += 1
        line = f"round {round_number} ctc {ctc.item():.3f} frame {frame.item():.3f}"
        if round_number % 5 == 0:
            line += f" | unseen voices: phone error rate {error_rate(model, speaker, TEST_VOICES, n=24):.4f}"
        run.log(line)
        run.save(everything())
    run.save(everything(), force=True)


def test(folder: Path) -> None:
    torch.set_num_threads(1)
    model = Listener.from_dir(folder / "recogniser").model
    speaker = Speaker(folder)
    mini = tuple(voice.name for voice in VOICES)
    for name, voices in (("voices kept apart", TEST_VOICES), ("the mini's voices", mini)):
        rate = error_rate(model, speaker, voices, n=200)
        print(f"phone error rate on 200 unseen texts, {name} ({' '.join(voices)}): {rate:.4f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--test", action="store_true")
    parser.add_argument("--folder", type=Path, default=Path(".mini"))
    args = parser.parse_args()
    if args.test:
        test(args.folder)
    else:
        train(args.folder, minutes=args.minutes)


if __name__ == "__main__":
    main()
