"""The files of a checkpoint in the official layout (docs/model.md 2), and the purpose of each file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from glm_tts_api.commands import DOWNLOAD
from glm_tts_api.errors import CheckpointError
from glm_tts_api.model.tensor_files import BrokenFile, indexed_files

SPEAKER_ENCODER = "frontend/campplus.onnx"

PURPOSES = {
    "llm/config.json": "sizes of the speech language model",
    "llm/model.safetensors": "weights of the speech language model",
    "flow/config.yaml": "settings of the flow that draws the mel spectrogram",
    "flow/flow.pt": "weights of the flow that draws the mel spectrogram",
    "hift/hift.pt": "weights of the 24 kHz vocoder",
    "vocos2d/generator_jit.ckpt": "the 32 kHz vocoder",
    "speech_tokenizer/config.json": "sizes of the tokenizer that hears the prompt",
    "speech_tokenizer/preprocessor_config.json": "features of the tokenizer that hears the prompt",
    "speech_tokenizer/model.safetensors": "weights of the tokenizer that hears the prompt",
    "vq32k-phoneme-tokenizer/tokenizer.model": "vocabulary of the text tokenizer",
    "vq32k-phoneme-tokenizer/tokenizer_config.json": "special tokens of the text tokenizer",
    SPEAKER_ENCODER: "the speaker encoder that captures the prompt's voice",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of one file of a checkpoint. `path` is the file, relative to the checkpoint's folder, and
    `what` is the problem in words."""

    path: str
    what: str

    def line(self) -> str:
        purpose = PURPOSES.get(self.path)
        return f"  {self.path}{f' ({purpose})' if purpose else ''}: {self.what}"


class CheckpointFiles:
    """Finds the files of the checkpoint in the folder `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, name: str) -> Path:
        return self.root / name

    @property
    def speaker_encoder(self) -> Path:
        """The path of the speaker encoder's file in the checkpoint; or its path in a folder next to the
        checkpoint (the published layout), if the file is only there."""
        inside = self.path(SPEAKER_ENCODER)
        beside = self.root.resolve().parent / SPEAKER_ENCODER
        return inside if inside.is_file() or not beside.is_file() else beside

    def weights(self, part: str) -> list[Path]:
        """Returns the safetensors files in the folder `part`: the files that its index names or, without an
        index, all files model*.safetensors. Raises BrokenFile for an index that cannot be read."""
        directory = self.path(part)
        return indexed_files(directory) or sorted(directory.glob("model*.safetensors"))

    def missing(self) -> list[Problem]:
        """Returns a problem for each file that is missing, is empty or is only a Git LFS pointer, and for
        each index that cannot be read."""
        problems = [
            *(self._lacking(name, self.path(name)) for name in PURPOSES if not self._is_special(name)),
            self._lacking(SPEAKER_ENCODER, self.speaker_encoder),
            *(problem for part in ("llm", "speech_tokenizer") for problem in self._missing_weights(part)),
        ]
        return [problem for problem in problems if problem is not None]

    @staticmethod
    def _is_special(name: str) -> bool:
        return name == SPEAKER_ENCODER or name.endswith(".safetensors")

    def _missing_weights(self, part: str) -> Iterable[Problem | None]:
        try:
            paths = self.weights(part)
        except BrokenFile as error:
            return [self.problem(error)]
        if not paths:
            return [Problem(f"{part}/model.safetensors", "missing")]
        return [self._lacking(self.relative(path), path) for path in paths]

    @staticmethod
    def _lacking(name: str, path: Path) -> Problem | None:
        if not path.is_file():
            return Problem(name, "missing")
        if path.stat().st_size == 0:
            return Problem(name, "is empty")
        with path.open("rb") as file:
            if file.read(24) == b"version https://git-lfs.":
                return Problem(name, "is a Git LFS pointer, not the file itself")
        return None

    def problem(self, error: BrokenFile) -> Problem:
        return Problem(self.relative(error.path), str(error))

    def relative(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)


def raise_problems(root: Path, problems: Iterable[Problem]) -> None:
    """Raises one CheckpointError that lists all `problems`, if there are any."""
    lines = [problem.line() for problem in problems]
    if lines:
        n_files = "1 problem" if len(lines) == 1 else f"{len(lines)} problems"
        raise CheckpointError(
            f"The checkpoint in {root} cannot be used, {n_files}:\n" + "\n".join(lines) + "\n"
            f"The official files come with: {DOWNLOAD} (it fetches only what is missing or broken)"
        )
