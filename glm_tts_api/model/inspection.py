"""Looks at a checkpoint without loading it (docs/model.md 2).

Files, settings, names and shapes of tensors, and whether the parts fit together: all that is wrong is told in
one CheckpointError.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
import yaml
from torch import Tensor, nn

from glm_tts_api.errors import CheckpointError
from glm_tts_api.model.checkpoint_files import CheckpointFiles, Problem, raise_problems
from glm_tts_api.model.flow import FlowConfig, FlowMatching
from glm_tts_api.model.llm import Llama, LlmConfig
from glm_tts_api.model.speech_tokenizer import SpeechTokenizer, SpeechTokenizerConfig, encoder_key
from glm_tts_api.model.tensor_files import (
    BrokenFile,
    TensorFiles,
    mismatches,
    open_pickle,
    open_safetensors,
)
from glm_tts_api.model.tokenizer import TextTokenizer
from glm_tts_api.model.vocoder import HiFT, HiftConfig

ValueT = TypeVar("ValueT")
ModuleT = TypeVar("ModuleT", bound=nn.Module)
Rename = Callable[[str], str | None]

LM_HEAD = "lm_head.weight"
INV_FREQ = "estimator.rotary_embed.inv_freq"  # stored, but made anew: a file may hold it in half precision


@dataclass(frozen=True, slots=True, eq=False)
class Part(Generic[ModuleT]):
    """A network whose parameters have no values yet, and the stored tensor for each of its parameters."""

    module: ModuleT
    files: TensorFiles
    stored_names: Mapping[str, str]

    def load(self) -> ModuleT:
        """The module with its weights as stored: mapped from the file, not copied."""
        self.module.load_state_dict(self.tensors(), assign=True)
        return self.module.requires_grad_(False).eval()

    def load_copy(self, device: torch.device, **replaced: Tensor) -> ModuleT:
        """The module with its weights in float32 on `device`. A weight in `replaced` need not be stored."""
        tensors = {**self.tensors(), **replaced}
        state = {name: tensor.to(device, torch.float32, copy=True) for name, tensor in tensors.items()}
        self.module.load_state_dict(state, assign=True)
        return self.module.requires_grad_(False).eval()

    def tensors(self) -> dict[str, Tensor]:
        return {name: self.files.read(stored) for name, stored in self.stored_names.items()}


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The parts that were inspected, ready to be loaded."""

    llm: Part[Llama]
    flow: Part[FlowMatching]
    hift: Part[HiFT]
    speech_tokenizer: Part[SpeechTokenizer]
    text_tokenizer: TextTokenizer


def inspect(root: Path) -> Parts:
    """Reads everything but the weights' values. Raises CheckpointError with all that is wrong."""
    look = _Inspector(CheckpointFiles(root))
    llm, flow, hift = look.llm(), look.flow(), look.hift()
    speech_tokenizer, text_tokenizer = look.speech_tokenizer(), look.text_tokenizer()
    raise_problems(root, look.problems)
    if not (llm and flow and hift and speech_tokenizer and text_tokenizer):
        raise AssertionError("a part is missing, and no problem was noted for it")
    parts = Parts(llm, flow, hift, speech_tokenizer, text_tokenizer)
    raise_problems(root, _misfits(parts))
    return parts


class _Inspector:
    """Looks at one part after the other; None for a part with a problem, which it notes."""

    def __init__(self, files: CheckpointFiles) -> None:
        self._files = files
        self.problems = files.missing()

    def llm(self) -> Part[Llama] | None:
        config = self._read("llm/config.json", LlmConfig.from_json)
        tensors = self._safetensors("llm")
        if config is None or tensors is None:
            return None
        tied = config.tie_word_embeddings
        return self._part(
            "llm/model.safetensors",
            lambda: Llama(config),
            tensors,
            rename=lambda name: None if tied and name == LM_HEAD else name,
        )

    def flow(self) -> Part[FlowMatching] | None:
        config = self._read("flow/config.yaml", FlowConfig.from_yaml)
        tensors = self._pickle("flow/flow.pt")
        if config is None or tensors is None:
            return None
        return self._part(
            "flow/flow.pt",
            lambda: FlowMatching(config),
            tensors,
            rename=lambda name: None if name == INV_FREQ else name,
            made_anew=(INV_FREQ,),
        )

    def hift(self) -> Part[HiFT] | None:
        name = "hift/config.json"
        sizes = HiftConfig()
        config = self._read(name, HiftConfig.from_json) if self._files.path(name).exists() else sizes
        tensors = self._pickle("hift/hift.pt")
        if config is None or tensors is None:
            return None
        # Its weight norms compute as they are made: the meta device would load PyTorch's compiler (2 s).
        return self._part("hift/hift.pt", lambda: HiFT(config), tensors, device="cpu")

    def speech_tokenizer(self) -> Part[SpeechTokenizer] | None:
        config = self._read("speech_tokenizer/config.json", SpeechTokenizerConfig.from_json)
        features = self._read("speech_tokenizer/preprocessor_config.json", _read_json)
        tensors = self._safetensors("speech_tokenizer")
        if config is None or features is None or tensors is None:
            return None
        return self._part(
            "speech_tokenizer/model.safetensors",
            lambda: SpeechTokenizer(config, features),
            tensors,
            rename=lambda name: encoder_key(name, config),
        )

    def text_tokenizer(self) -> TextTokenizer | None:
        directory = "vq32k-phoneme-tokenizer"
        if any(problem.path.startswith(directory) for problem in self.problems):
            return None
        return self._read(directory, TextTokenizer.from_dir)

    def _read(self, name: str, reader: Callable[[Path], ValueT]) -> ValueT | None:
        if self._known_as_bad(name):
            return None
        try:
            return reader(self._files.path(name))
        except (ValueError, TypeError, KeyError, OSError, yaml.YAMLError, CheckpointError) as error:
            self.problems.append(Problem(name, f"cannot be used: {error}"))
            return None

    def _known_as_bad(self, name: str) -> bool:
        return any(problem.path == name for problem in self.problems)

    def _safetensors(self, part: str) -> TensorFiles | None:
        if any(problem.path.startswith(f"{part}/model") for problem in self.problems):
            return None
        return self._open(lambda: open_safetensors(self._files.weights(part)))

    def _pickle(self, name: str) -> TensorFiles | None:
        return None if self._known_as_bad(name) else self._open(lambda: open_pickle(self._files.path(name)))

    def _open(self, opener: Callable[[], TensorFiles]) -> TensorFiles | None:
        try:
            return opener()
        except BrokenFile as error:
            self.problems.append(self._files.problem(error))
            return None

    def _part(
        self,
        name: str,
        build: Callable[[], ModuleT],
        tensors: TensorFiles,
        *,
        rename: Rename = lambda name: name,
        made_anew: tuple[str, ...] = (),
        device: str = "meta",
    ) -> Part[ModuleT] | None:
        """`rename` gives the module's name for a stored tensor, or None for one to leave alone."""
        with torch.device(device):
            module = build()
        stored = {key: stored for stored in tensors.shapes if (key := rename(stored)) is not None}
        found = {key: tensors.shapes[stored_name] for key, stored_name in stored.items()}
        state = module.state_dict()
        wanted = {key: tuple(value.shape) for key, value in state.items() if key not in made_anew}
        problems = [Problem(name, f"tensors {line}") for line in mismatches(found, wanted)]
        self.problems += problems
        return None if problems else Part(module, tensors, stored)


def _read_json(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_bytes())
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")
    return content


def _misfits(parts: Parts) -> list[Problem]:
    """Parts that are sound by themselves and belong to different models."""
    tokenizer, problems = parts.text_tokenizer, []
    n_speech = parts.speech_tokenizer.module.config.quantize_vocab_size
    last = tokenizer.audio_start + n_speech - 1
    if tokenizer.encode(f"<|audio_{n_speech - 1}|>") != [last]:
        what = (
            f"has no {n_speech} consecutive speech tokens, as many as speech_tokenizer/config.json asks for"
        )
        problems.append(Problem("vq32k-phoneme-tokenizer/tokenizer_config.json", what))
    n_ids = parts.llm.module.config.vocab_size
    if max(last, tokenizer.end_of_audio, tokenizer.begin_of_audio) >= n_ids:
        what = f"vocab_size {n_ids} is too small for the text tokenizer, whose speech tokens end at {last}"
        problems.append(Problem("llm/config.json", what))
    if parts.flow.module.config.text_vocab_size < n_speech:
        size = parts.flow.module.config.text_vocab_size
        what = f"vocab_size {size} is too small for the {n_speech} speech tokens"
        problems.append(Problem("flow/config.yaml", what))
    return problems
