"""Loads a checkpoint of the official layout (docs/model.md 2), of any size.

All files are inspected before a file is loaded (inspection.py).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from glm_tts_api.contracts import Dtype
from glm_tts_api.model import cpu_kernels
from glm_tts_api.model.alignment import find_head
from glm_tts_api.model.cpu_kernels import CpuKernels
from glm_tts_api.model.flow import FlowMatching
from glm_tts_api.model.flow.dit import Rotary
from glm_tts_api.model.inspection import INV_FREQ, SPEAKER_ENCODER, CheckpointFiles, inspect
from glm_tts_api.model.llm_config import Head
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.placement import choose_device, choose_precision, require_operators
from glm_tts_api.model.speaker_encoder import SpeakerEncoder
from glm_tts_api.model.speech_tokenizer import SpeechTokenizer
from glm_tts_api.model.tensor_files import first_line
from glm_tts_api.model.tokenizer import TextTokenizer
from glm_tts_api.model.vocoder import Vocoder, Vocos2D

logger = logging.getLogger(__name__)

VOCOS2D = "vocos2d/generator_jit.ckpt"
_NOT_FOLLOWED = (
    "No attention head of this LLM follows the text: words that are lost or said twice go unnoticed"
)


@dataclass(frozen=True, slots=True, eq=False)
class Models:
    """A loaded checkpoint, ready for inference. `name` is the name of its folder. `vocoders` has the vocoder
    for each sample rate in Hz. `warnings` are sentences about the device and the precision, for the person
    who starts the server. `n_engines` is the number of the server's engines that share the device.
    `cpu_kernels` compute decode steps on a CPU, where they could be compiled. `followed` is the LLM's head
    that attends to the text that is being spoken, if there is one (alignment.py).

    The LLM's logits have a column for each speech token, from 0, and a last column for the end of the
    segment.
    """

    name: str
    llm: LlmRunner
    flow: FlowMatching
    vocoders: Mapping[int, Vocoder]
    speech_tokenizer: SpeechTokenizer
    speaker_encoder: SpeakerEncoder
    text_tokenizer: TextTokenizer
    warnings: tuple[str, ...] = ()
    n_engines: int = 1
    cpu_kernels: CpuKernels | None = None
    followed: Head | None = None


def require_servable(root: Path, *, device: str, dtype: Dtype) -> None:
    """Checks whether the checkpoint in `root` can be served, without loading its weights. Raises StartupError
    if a file is missing or does not fit, or if PyTorch cannot run the models on the device. `device` and
    `dtype` are the values of the settings."""
    chosen = choose_device(device)
    require_operators(chosen, choose_precision(chosen, n_weights=0, dtype=dtype))
    inspect(root)


def load_checkpoint(
    root: Path,
    *,
    device: torch.device | str,
    dtype: Dtype = "fp32",
    cache_dir: Path | None = None,
    followed: Head | None = None,
) -> Models:
    """Loads the models of the checkpoint in `root` to `device`, as float32. The LLM has the precision that
    `dtype` asks for (see choose_precision). On a CPU, kernels for decode steps are compiled and kept in
    `cache_dir`; without it PyTorch's operators compute these steps. `followed` is the head that an earlier
    load has found; None has it looked for.

    Raises CheckpointError, and the errors of choose_precision and require_operators.
    """
    parts, device = inspect(root), torch.device(device)
    n_weights = sum(parameter.numel() for parameter in parts.llm.module.parameters())
    precision = choose_precision(device, n_weights=n_weights, dtype=dtype)
    require_operators(device, precision)
    speaker_encoder, vocos2d = _load_opaque(CheckpointFiles(root), device)
    hift = parts.hift.module
    hift.load_state_dict(parts.hift.tensors())
    tokenizer, n_speech = parts.text_tokenizer, parts.speech_tokenizer.module.config.quantize_vocab_size
    speech_ids = range(tokenizer.audio_start, tokenizer.audio_start + n_speech)
    llm = LlmRunner(
        parts.llm.load(),
        sampled_ids=[*speech_ids, tokenizer.end_of_audio],
        device=device,
        dtype=precision.dtype,
        linear=precision.linear,
    )
    speech_tokenizer = parts.speech_tokenizer.load_copy(device)
    if followed is None:
        followed, fit = find_head(llm, tokenizer, speech_tokenizer)
        logger.info("Attention on the spoken text: %s (fit %.2f)", followed or "no head is clear enough", fit)
    return Models(
        name=root.resolve().name,
        llm=llm,
        flow=parts.flow.load_copy(device, **{INV_FREQ: Rotary(parts.flow.module.config.dim_head).inv_freq}),
        vocoders={each.sample_rate: each for each in (hift.fold().to(device), vocos2d)},
        speech_tokenizer=speech_tokenizer,
        speaker_encoder=speaker_encoder,
        text_tokenizer=tokenizer,
        warnings=() if followed else (_NOT_FOLLOWED,),
        cpu_kernels=cpu_kernels.load(cache_dir / "cpu_kernels")
        if cache_dir and device.type == "cpu"
        else None,
        followed=followed,
    )


def _load_opaque(files: CheckpointFiles, device: torch.device) -> tuple[SpeakerEncoder, Vocos2D]:
    """Loads the parts that are stored as whole networks and not only as weights: the speaker encoder (ONNX)
    and Vocos2D (TorchScript). Raises CheckpointError."""
    encoder, vocos2d = None, None
    try:
        encoder = SpeakerEncoder(files.path(SPEAKER_ENCODER))
    except Exception as error:  # onnxruntime's errors have no common base
        files.note(SPEAKER_ENCODER, f"cannot be read ({first_line(error)})")
    try:
        vocos2d = Vocos2D.load(files.path(VOCOS2D), device)
    except RuntimeError as error:
        files.note(VOCOS2D, f"cannot be read ({first_line(error)})")
    files.require_sound()
    assert encoder
    assert vocos2d
    return encoder, vocos2d
