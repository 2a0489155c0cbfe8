"""Inspects a checkpoint without loading its weights (docs/model.md 2).

The inspection checks the files, the settings, the names and shapes of the tensors, and whether the parts fit
together. One CheckpointError reports everything that is wrong.
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

from glm_tts_api.commands import DOWNLOAD
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
INV_FREQ = "estimator.rotary_embed.inv_freq"  # computed, not read: a file may hold it in half precision


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
    """Inspects the parts of a checkpoint, one method for each part. A method returns None for a part with a
    problem, and adds the problem to `problems`."""

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
        # Making a weight norm computes values, for which PyTorch would load its compiler on the meta device
        # (2 s).
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
        """Compares the stored `tensors` of the file `name` with the parameters of the module that `build`
        makes. `rename` returns the parameter's name for a stored tensor's name; None skips the tensor. The
        parameters `made_anew` need not be stored. Returns None and notes problems if names or shapes
        differ."""
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
    """Returns a problem for each part that is valid by itself but does not fit the other parts, because it
    belongs to another model."""
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
