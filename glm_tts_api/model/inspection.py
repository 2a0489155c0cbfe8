"""Inspects a checkpoint of the official layout without loading its weights (docs/model.md 2).

The inspection checks the files, the settings, the names and shapes of the tensors, and whether the parts fit
together. One CheckpointError reports everything that is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
import yaml
from torch import Tensor, nn

from glm_tts_api.commands import DOWNLOAD
from glm_tts_api.errors import CheckpointError
from glm_tts_api.model.flow import FlowConfig, FlowMatching
from glm_tts_api.model.llm import Llama, LlmConfig
from glm_tts_api.model.speech_tokenizer import SpeechTokenizer, SpeechTokenizerConfig, encoder_key
from glm_tts_api.model.tensor_files import (
    BrokenFile,
    TensorFiles,
    indexed_files,
    mismatches,
    open_pickle,
    open_safetensors,
)
from glm_tts_api.model.tokenizer import TextTokenizer
from glm_tts_api.model.vocoder import HiFT, HiftConfig

ValueT = TypeVar("ValueT")
ModuleT = TypeVar("ModuleT", bound=nn.Module)

LM_HEAD = "lm_head.weight"
INV_FREQ = "estimator.rotary_embed.inv_freq"  # computed, not read: a file may hold it in half precision
TEXT_TOKENIZER = "vq32k-phoneme-tokenizer"
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


@dataclass(frozen=True, slots=True, eq=False)
class Part(Generic[ModuleT]):
    """A network of the checkpoint that has been inspected but not loaded yet. `module` is the network without
    values; `stored_names` gives the name in `files` for each of its parameters."""

    module: ModuleT
    files: TensorFiles
    stored_names: Mapping[str, str]

    def load(self) -> ModuleT:
        """Loads the weights as they are stored, mapped from the file and not copied. Returns the module."""
        self.module.load_state_dict(self.tensors(), assign=True)
        return self.module.requires_grad_(False).eval()

    def load_copy(self, device: torch.device, **replaced: Tensor) -> ModuleT:
        """Loads a copy of the weights in float32 to `device`, and returns the module. `replaced` gives
        weights by name that are taken in place of the stored ones, and need not be stored."""
        tensors = {**self.tensors(), **replaced}
        state = {name: tensor.to(device, torch.float32, copy=True) for name, tensor in tensors.items()}
        self.module.load_state_dict(state, assign=True)
        return self.module.requires_grad_(False).eval()

    def tensors(self) -> dict[str, Tensor]:
        return {name: self.files.read(stored) for name, stored in self.stored_names.items()}


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The parts of a checkpoint that were inspected and are ready to be loaded."""

    llm: Part[Llama]
    flow: Part[FlowMatching]
    hift: Part[HiFT]
    speech_tokenizer: Part[SpeechTokenizer]
    text_tokenizer: TextTokenizer


def inspect(root: Path) -> Parts:
    """Inspects the checkpoint in `root`: reads everything except the values of the weights. Raises
    CheckpointError, which lists everything that is wrong."""
    if not root.is_dir():
        raise CheckpointError(
            f"MODEL_DIR='{root}': there is no such folder. Without MODEL_DIR the server takes ckpt/, or "
            f"the bundled model where that is not there. The official files come with: {DOWNLOAD}"
        )
    files = CheckpointFiles(root)
    files.note_missing()
    llm = files.part(
        "llm/model.safetensors",
        Llama,
        files.read("llm/config.json", LlmConfig.from_json),
        rename=lambda name, config: None if config.tie_word_embeddings and name == LM_HEAD else name,
    )
    flow = files.part("flow/flow.pt", FlowMatching, files.read("flow/config.yaml", FlowConfig.from_yaml))
    has_sizes = files.path("hift/config.json").exists()
    sizes = files.read("hift/config.json", HiftConfig.from_json) if has_sizes else HiftConfig()
    # Making a weight norm computes values: on the meta device PyTorch would load its compiler for them (2 s).
    hift = files.part("hift/hift.pt", HiFT, sizes, device="cpu")
    speech_tokenizer = files.part(
        "speech_tokenizer/model.safetensors",
        SpeechTokenizer,
        files.read("speech_tokenizer/config.json", _read_tokenizer_config),
        files.read("speech_tokenizer/preprocessor_config.json", _read_json),
        rename=lambda name, config, _: encoder_key(name, config),
    )
    text_tokenizer = files.read(TEXT_TOKENIZER, TextTokenizer.from_dir)
    files.require_sound()
    if not (llm and flow and hift and speech_tokenizer and text_tokenizer):
        raise AssertionError("a part is missing, and no problem was noted for it")
    parts = Parts(llm, flow, hift, speech_tokenizer, text_tokenizer)
    for name, what in _misfits(parts):
        files.note(name, what)
    files.require_sound()
    return parts


class CheckpointFiles:
    """The files of the checkpoint in the folder `root`, and the problems that were found in them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._problems: list[tuple[str, str]] = []

    def path(self, name: str) -> Path:
        """Returns the path of a file. The speaker encoder may also lie in a folder next to the checkpoint
        (the published layout)."""
        inside, beside = self._root / name, self._root.resolve().parent / name
        return beside if name == SPEAKER_ENCODER and beside.is_file() and not inside.is_file() else inside

    def note(self, name: str | Path, what: str) -> None:
        """Notes the problem `what` of the file `name`, which is relative to the checkpoint's folder."""
        if isinstance(name, Path):
            name = name.relative_to(self._root).as_posix() if name.is_relative_to(self._root) else str(name)
        self._problems.append((name, what))

    def require_sound(self) -> None:
        """Raises one CheckpointError that lists all problems, if there are any."""
        if self._problems:
            n_problems = len(self._problems)
            lines = "".join(
                f"  {name}{f' ({purpose})' if (purpose := PURPOSES.get(name)) else ''}: {what}\n"
                for name, what in self._problems
            )
            raise CheckpointError(
                f"The checkpoint in {self._root} cannot be used, {n_problems} problem"
                f"{'' if n_problems == 1 else 's'}:\n{lines}"
                f"The official files come with: {DOWNLOAD} (it fetches only what is missing or broken)"
            )

    def note_missing(self) -> None:
        """Notes each file that is missing, is empty or is only a Git LFS pointer, and each index that cannot
        be read."""
        files: list[tuple[str | Path, Path]]
        files = [(name, self.path(name)) for name in PURPOSES if not name.endswith(".safetensors")]
        for part in ("llm", "speech_tokenizer"):
            try:
                weights = self._weights(part) or [self._root / part / "model.safetensors"]
                files += zip(weights, weights, strict=True)
            except BrokenFile as error:
                self.note(error.path, str(error))
        for name, path in files:
            if (what := _lacks(path)) is not None:
                self.note(name, what)

    def _weights(self, part: str) -> list[Path]:
        """Returns the safetensors files in the folder `part`: the files that its index names or, without an
        index, all files model*.safetensors. Raises BrokenFile for an index that cannot be read."""
        folder = self._root / part
        return indexed_files(folder) or sorted(folder.glob("model*.safetensors"))

    def read(self, name: str, reader: Callable[[Path], ValueT]) -> ValueT | None:
        """Returns what `reader` makes of the file or folder `name`. Returns None if a problem is known whose
        name begins with `name`, and if `reader` fails, whose error is then noted."""
        if any(known.startswith(name) for known, _ in self._problems):
            return None
        try:
            return reader(self._root / name)
        except BrokenFile as error:
            self.note(error.path, str(error))
        except (ValueError, TypeError, KeyError, OSError, yaml.YAMLError, CheckpointError) as error:
            self.note(name, f"cannot be used: {error}")
        return None

    def part(
        self,
        name: str,
        build: Callable[..., ModuleT],
        *configs: Any,
        rename: Callable[..., str | None] = lambda name, *_: name,
        device: str = "meta",
    ) -> Part[ModuleT] | None:
        """Compares the tensors of the file `name` with the parameters of the module that `build` makes from
        the `configs`. `rename` returns the parameter's name for a stored tensor's name and the configs; None
        skips the tensor. Returns None and notes problems if the file cannot be read, or if names or shapes
        differ. Returns None if a config is None."""
        if name.endswith(".safetensors"):
            folder = name.partition("/")[0]
            tensors = self.read(f"{folder}/model", lambda _: open_safetensors(self._weights(folder)))
        else:
            tensors = self.read(name, open_pickle)
        if tensors is None or None in configs:
            return None
        with torch.device(device):
            module = build(*configs)
        stored = {key: stored for stored in tensors.shapes if (key := rename(stored, *configs)) is not None}
        stored.pop(INV_FREQ, None)
        found = {key: tensors.shapes[stored_name] for key, stored_name in stored.items()}
        wanted = {key: tuple(value.shape) for key, value in module.state_dict().items() if key != INV_FREQ}
        differing = [*mismatches(found, wanted)]
        for line in differing:
            self.note(name, f"tensors {line}")
        return None if differing else Part(module, tensors, stored)


def _lacks(path: Path) -> str | None:
    if not path.is_file():
        return "missing"
    if path.stat().st_size == 0:
        return "is empty"
    with path.open("rb") as file:
        is_pointer = file.read(24) == b"version https://git-lfs."
    return "is a Git LFS pointer, not the file itself" if is_pointer else None


def _read_json(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_bytes())
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")
    return content


def _read_tokenizer_config(path: Path) -> SpeechTokenizerConfig:
    return SpeechTokenizerConfig.from_dict(_read_json(path))


def _misfits(parts: Parts) -> Iterator[tuple[str, str]]:
    """Yields a file and its problem for each part that is valid by itself but does not fit the other parts,
    because it belongs to another model."""
    tokenizer = parts.text_tokenizer
    n_speech = parts.speech_tokenizer.module.config.quantize_vocab_size
    last = tokenizer.audio_start + n_speech - 1
    if tokenizer.encode(f"<|audio_{n_speech - 1}|>")[0] != [last]:
        what = (
            f"has no {n_speech} consecutive speech tokens, as many as speech_tokenizer/config.json asks for"
        )
        yield "vq32k-phoneme-tokenizer/tokenizer_config.json", what
    n_ids = parts.llm.module.config.vocab_size
    if max(last, tokenizer.end_of_audio, tokenizer.begin_of_audio) >= n_ids:
        what = f"vocab_size {n_ids} is too small for the text tokenizer, whose speech tokens end at {last}"
        yield "llm/config.json", what
    if parts.flow.module.config.text_vocab_size < n_speech:
        size = parts.flow.module.config.text_vocab_size
        what = f"vocab_size {size} is too small for the {n_speech} speech tokens"
        yield "flow/config.yaml", what
