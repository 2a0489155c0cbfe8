"""Measures how much of Kokoro's speech survives codes, flow and vocoder, with the networks in training.

Counts the wrong English words and Mandarin syllables (Whisper base) of held-out sentences, in a woman's and a
man's voice in turn. Four waves are judged: the source; its mel through HiFT; its codes through the
tokenizer's training decoder and HiFT; its codes through the flow and HiFT. The flow's prompt is another
sentence of the voice. The language model has no part.

    python -m mini.proof --sentences 20
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from glm_tts_api.model.flow import FlowInput, FlowMatching
from glm_tts_api.model.mel import log_mel, resample
from glm_tts_api.model.speaker_encoder import kaldi_fbank
from glm_tts_api.model.vocoder.hift import HiFT
from mini.codes import load_encoder
from mini.data import speaker_statistics
from mini.features import whisper_features
from mini.flow import flow_config
from mini.heldout import CHINESE, ENGLISH
from mini.kokoro_data import Speaker, speech_bounds, whole_tokens
from mini.measures import Ear, n_errors, units
from mini.pair_data import MEL_MEAN, MEL_STD
from mini.program import Program
from mini.timbres import Timbre
from mini.tokenizer import Decoder
from mini.vocoder import CONFIG

SENTENCES = {"en": ENGLISH, "zh": CHINESE}
TRAINED = {"en": ("af_heart", "am_michael"), "zh": ("zf_xiaoxiao", "zm_yunxi")}
UNSEEN = {"en": ("bf_emma", "am_onyx"), "zh": ("zf_xiaoni", "zm_yunyang")}


@dataclass(frozen=True)
class Voice:
    """The voice prompt for the flow: speaker embedding, speech codes and mel of a recording."""

    speaker: Tensor
    codes: Tensor
    mel: Tensor  # [T, 80]


class Student:
    """The networks in training, loaded from the states in `folder`."""

    def __init__(self, folder: Path) -> None:
        state = torch.load(folder / "tokenizer" / "state.pt", weights_only=True)
        self._encoder = load_encoder(folder / "tokenizer")
        self._decoder = Decoder(self._encoder.config.d_model, len(state["phonemes"]))
        self._decoder.load_state_dict(state["decoder"])
        self._flow = FlowMatching(flow_config())
        average = torch.load(folder / "calm_flow" / "state.pt", weights_only=True)["average"]
        self._flow.estimator.load_state_dict(average)
        self._hift = HiFT(CONFIG).fold()
        self._hift.load_state_dict(torch.load(folder / "hift" / "state.pt", weights_only=True)["model"])
        self._projection = torch.load(folder / "speaker" / "projection.pt", weights_only=True)

    def codes(self, wave: Tensor) -> Tensor:
        return self._encoder.codes(self._encoder(whisper_features(wave)[None]))[0]

    def voice(self, wave: Tensor) -> Voice:
        statistics = speaker_statistics(kaldi_fbank(resample(wave, 24000, 16000)))
        speaker = (statistics - self._projection["mean"]) @ self._projection["matrix"]
        return Voice(speaker, self.codes(wave), log_mel(wave, 24000).T)

    def hift(self, mel: Tensor) -> Tensor:
        wave: Tensor = self._hift(mel[None], noise=torch.Generator().manual_seed(0))
        return wave.reshape(-1)

    def decoded(self, codes: Tensor, voice: Voice) -> Tensor:
        """Returns the mel [80, T] that the tokenizer's training decoder makes from `codes`."""
        normal = (voice.mel - MEL_MEAN) / MEL_STD
        style = torch.cat([normal.mean(0), normal.std(0)])[None]
        mel: Tensor = self._decoder(self._encoder.codebook(codes)[None], style)[0][0]
        return (mel * MEL_STD + MEL_MEAN).T

    def flow(self, codes: Tensor, voice: Voice, *, seed: int) -> Tensor:
        """Returns the mel [80, T] that the flow makes from `codes`, with `voice` as its prompt."""
        noise = torch.Generator().manual_seed(seed)
        wanted = FlowInput(codes, voice.speaker, noise, voice.codes, voice.mel)
        return self._flow.sample(wanted)[0]

    def ways(self, wave: Tensor, voice: Voice, *, seed: int) -> Iterator[tuple[str, Tensor, Tensor]]:
        """Yields (name, mel [80, T], wave) for the source and for each way to reconstruct it."""
        mel, codes = log_mel(wave, 24000), self.codes(wave)
        yield "source", mel, wave
        for name, made in (
            ("HiFT", mel),
            ("codes, decoder, HiFT", self.decoded(codes, voice)),
            ("codes, flow, HiFT", self.flow(codes, voice, seed=seed)),
        ):
            yield name, made, self.hift(made)


@dataclass
class Tally:
    errors: int = 0
    total: int = 0
    distances: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        distance = sum(self.distances) / len(self.distances)
        return f"{self.errors / self.total:.3f} of {self.total}, mel {distance:.3f} nepers from the source"


def spoken(speaker: Speaker, text: str, language: str, voice: str) -> Tensor:
    """Returns the 24 kHz wave of a sentence spoken by Kokoro in a base voice, trimmed as in training."""
    said = speaker.say(
        speaker.reader.read(text.lower(), language), Timbre(((voice, 1.0),), 1.0), voice, speed=1
    )
    start, end = speech_bounds([said.wave])
    return torch.from_numpy(whole_tokens(said.wave[start:end]))


@torch.inference_mode()
def main() -> None:
    parser = Program(__doc__)
    parser.add_argument("--sentences", type=int, default=20, help="of each language")
    parser.add_argument("--unseen", action="store_true", help="in base voices that are never trained on")
    args = parser.parse_args()
    student, speaker = Student(args.folder), Speaker(args.folder / "kokoro")
    listener = Ear(args.folder / "whisper-base")
    for language, pair in (UNSEEN if args.unseen else TRAINED).items():
        texts = SENTENCES[language]
        prompts = [
            student.voice(spoken(speaker, texts[-1 - i], language, voice)) for i, voice in enumerate(pair)
        ]
        tallies: dict[str, Tally] = {}
        for i, text in enumerate(texts[: args.sentences]):
            wave = spoken(speaker, text, language, pair[i % 2])
            source = log_mel(wave, 24000)
            for name, mel, sound in student.ways(wave, prompts[i % 2], seed=i):
                tally = tallies.setdefault(name, Tally())
                wanted = units(text, language)
                heard = units(listener.hear(sound.numpy(), language), language)
                length = min(mel.shape[1], source.shape[1])
                tally.errors += n_errors(wanted, heard)
                tally.total += len(wanted)
                tally.distances.append(float((mel[:, :length] - source[:, :length]).abs().mean()))
        for name, tally in tallies.items():
            print(f"{language} {name:<22} {tally}", flush=True)


if __name__ == "__main__":
    main()
