"""Loading the official layout: what fits loads, and what does not is told all at once."""

from __future__ import annotations

import json
import os
import shutil
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from bench.make_synthetic_checkpoint import sizes, write_checkpoint, write_safetensors
from glm_tts_api.contracts import SampleRate
from glm_tts_api.errors import CheckpointError
from glm_tts_api.model.checkpoint import Models, load_checkpoint, require_servable
from glm_tts_api.model.flow import FlowConfig, FlowMatching
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm import Llama, LlmConfig
from glm_tts_api.model.speech_tokenizer import SpeechTokenizer, SpeechTokenizerConfig, encoder_key
from glm_tts_api.model.vocoder import HiFT, HiftConfig
from scripts.checks.parity.fill import iter_fill

MANIFESTS = Path(__file__).parents[1] / "golden" / "data" / "manifests"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("checkpoint") / "tiny"
    write_checkpoint(root, sizes()["tiny"])
    return root


@pytest.fixture
def copy(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "tiny"))


def _error(root: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(root, device="cpu")
    return str(caught.value)


def _logits(models: Models) -> Tensor:
    llm = models.llm
    cache = KVCache(llm.config, slots=1, slot_length=32, dtype=llm.dtype, device="cpu")
    ids, _ = models.text_tokenizer.encode("你好。")
    with torch.inference_mode():
        return llm.logits(llm.prefill(ids, cache=cache, slot=0))


def test_a_checkpoint_loads_and_every_part_works(sound: Path) -> None:
    models = load_checkpoint(sound, device="cpu")
    assert models.name == "tiny"
    assert _logits(models).shape == (5, 1025)  # two Hanzi and three bytes; all speech tokens and the end
    tokenizer = models.text_tokenizer
    assert models.llm.sampled_ids[0] == tokenizer.audio_start
    assert models.llm.sampled_ids[-2:].tolist() == [tokenizer.audio_start + 1023, tokenizer.end_of_audio]
    mel = torch.zeros(1, 80, 6) - 5
    assert models.vocoders.keys() == set(get_args(SampleRate))
    assert models.vocoders[24000](mel, noise=torch.Generator()).shape == (6 * 480,)
    assert models.vocoders[32000](mel, noise=torch.Generator()).shape == (6 * 640,)
    wave = 0.1 * torch.randn(16000, generator=torch.Generator().manual_seed(0))
    assert models.speech_tokenizer.tokenize([wave])[0].shape == (25,)
    assert models.speaker_encoder.embed(wave).shape == (1, 192)
    assert not any(parameter.requires_grad for parameter in models.flow.parameters())


def test_sharded_and_half_precision_weights_load_as_the_same_model(sound: Path, copy: Path) -> None:
    single = copy / "llm" / "model.safetensors"
    weights = load_file(single)
    single.unlink()
    names = sorted(weights)
    shards = {"model-00001-of-00002.safetensors": names[:5], "model-00002-of-00002.safetensors": names[5:]}
    for file, keys in shards.items():
        save_file({key: weights[key].half() for key in keys}, copy / "llm" / file)
    index = {"weight_map": {key: file for file, keys in shards.items() for key in keys}}
    (copy / "llm" / "model.safetensors.index.json").write_text(json.dumps(index))
    expected, found = (_logits(load_checkpoint(root, device="cpu")) for root in (sound, copy))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, atol=0.05, rtol=0.01)


def test_old_weight_norm_names_and_bare_state_dicts_load_as_the_same_model(sound: Path, copy: Path) -> None:
    def older(name: str) -> str:
        name = name.replace("parametrizations.weight.original0", "weight_g")
        return name.replace("parametrizations.weight.original1", "weight_v")

    hift = torch.load(copy / "hift" / "hift.pt", weights_only=True)
    torch.save({older(name): tensor for name, tensor in hift.items()}, copy / "hift" / "hift.pt")
    flow = torch.load(copy / "flow" / "flow.pt", weights_only=True)["model"]
    del flow["estimator.rotary_embed.inv_freq"]
    torch.save(OrderedDict(flow), copy / "flow" / "flow.pt", _use_new_zipfile_serialization=False)
    expected, found = (load_checkpoint(root, device="cpu") for root in (sound, copy))
    mel = torch.zeros(1, 80, 4) - 5
    waves = [
        models.vocoders[24000](mel, noise=torch.Generator().manual_seed(1)) for models in (expected, found)
    ]
    assert torch.equal(*waves)
    for name, tensor in expected.flow.state_dict().items():
        assert torch.equal(tensor, found.flow.state_dict()[name]), name


def test_the_speaker_encoder_may_lie_beside_the_checkpoint(copy: Path) -> None:
    shutil.move(copy / "frontend", copy.parent / "frontend")
    assert load_checkpoint(copy, device="cpu").speaker_encoder is not None


def test_an_empty_folder_lists_every_file_its_purpose_and_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as caught:
        require_servable(tmp_path, device="cpu", dtype="auto")
    message = str(caught.value)
    for name in (
        "llm/config.json", "llm/model.safetensors", "flow/flow.pt", "flow/config.yaml", "hift/hift.pt",
        "vocos2d/generator_jit.ckpt", "speech_tokenizer/config.json", "speech_tokenizer/model.safetensors",
        "vq32k-phoneme-tokenizer/tokenizer.model", "frontend/campplus.onnx",
    ):  # fmt: skip
        assert f"{name} (" in message
        assert "): missing" in message
    assert "weights of the 24 kHz vocoder" in message
    assert "bash scripts/download_model.sh" in message


def test_a_folder_that_is_not_there_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nowhere': there is no such folder(?!.*missing)"):
        require_servable(tmp_path / "nowhere", device="cpu", dtype="auto")


def _drop_tensor(root: Path) -> None:
    path = root / "llm" / "model.safetensors"
    weights = load_file(path)
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, path)


def _resize_tensor(root: Path) -> None:
    path = root / "flow" / "flow.pt"
    state = torch.load(path, weights_only=True)
    state["model"]["estimator.proj_out.weight"] = torch.zeros(3, 64)
    torch.save(state, path)


def _truncate(name: str) -> Callable[[Path], None]:
    def truncate(root: Path) -> None:
        data = (root / name).read_bytes()
        (root / name).write_bytes(data[: len(data) // 2])

    return truncate


def _write(name: str, content: str) -> Callable[[Path], None]:
    def write(root: Path) -> None:
        (root / name).write_text(content)

    return write


BREAKS: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "tensor missing": (
        _drop_tensor,
        ["llm/model.safetensors", "1 missing: model.layers.1.mlp.up_proj.weight"],
    ),
    "wrong shape": (_resize_tensor, ["estimator.proj_out.weight is [3, 64] instead of [80, 64]"]),
    "llm cut short": (_truncate("llm/model.safetensors"), ["llm/model.safetensors", "cannot be read"]),
    "hift cut short": (_truncate("hift/hift.pt"), ["hift/hift.pt", "cannot be read"]),
    "onnx cut short": (_truncate("frontend/campplus.onnx"), ["campplus.onnx", "cannot be read"]),
    "empty file": (_write("flow/flow.pt", ""), ["flow/flow.pt", "is empty"]),
    "lfs pointer": (
        _write("hift/hift.pt", "version https://git-lfs.github.com/spec/v1\n"),
        ["hift/hift.pt", "Git LFS"],
    ),
    "no json": (_write("llm/config.json", "{"), ["llm/config.json", "cannot be used"]),
    "bad size": (_write("hift/config.json", '{"base_channels": 7}'), ["hift/config.json", "multiple of 8"]),
    "bad yaml": (_write("flow/config.yaml", "flow: ["), ["flow/config.yaml", "cannot be used"]),
    "ranks": (
        _write("vq32k-phoneme-tokenizer/tokenizer.model", "?"),
        ["vq32k-phoneme-tokenizer", "tokenizer.model"],
    ),
    "not a state dict": (lambda root: torch.save([1, 2], root / "hift" / "hift.pt"), ["no", "hift/hift.pt"]),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_file_is_named_with_what_is_wrong(copy: Path, name: str) -> None:
    damage, expected = BREAKS[name]
    damage(copy)
    message = _error(copy)
    for part in expected:
        assert part in message, message


def test_all_that_is_wrong_is_told_at_once(copy: Path) -> None:
    _drop_tensor(copy)
    _resize_tensor(copy)
    (copy / "frontend" / "campplus.onnx").unlink()
    message = _error(copy)
    for part in ("3 problems", "up_proj", "proj_out", "campplus.onnx"):
        assert part in message, message


class _MakesAFolder:
    """An object whose unpickling runs code."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self._folder),)


def test_code_in_a_pickle_does_not_run(copy: Path, tmp_path: Path) -> None:
    torch.save(_MakesAFolder(tmp_path / "made"), copy / "hift" / "hift.pt")
    assert "hift/hift.pt" in _error(copy)
    assert not (tmp_path / "made").exists()


def test_parts_of_different_models_are_refused(copy: Path) -> None:
    other = SpeechTokenizerConfig(
        d_model=64, encoder_attention_heads=4, encoder_ffn_dim=128, quantize_position=2, pooling_position=2,
        quantize_vocab_size=2048,
    )  # fmt: skip
    with torch.device("meta"):
        state = SpeechTokenizer(other).state_dict()
    shapes = {f"model.encoder.{name}": tuple(tensor.shape) for name, tensor in state.items()}
    write_safetensors(copy / "speech_tokenizer" / "model.safetensors", iter_fill("other", "tok", shapes))
    config = json.loads((copy / "speech_tokenizer" / "config.json").read_text())
    config["quantize_vocab_size"] = 2048
    (copy / "speech_tokenizer" / "config.json").write_text(json.dumps(config))
    message = _error(copy)
    assert "no 2048 consecutive speech tokens" in message
    assert "vocab_size 1024 is too small for the 2048 speech tokens" in message


def _shapes(build: Callable[[], nn.Module]) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        return {name: tuple(tensor.shape) for name, tensor in build().state_dict().items()}


def _manifest(name: str) -> dict[str, tuple[int, ...]]:
    content: dict[str, Any] = json.loads((MANIFESTS / name).read_text(encoding="utf-8"))
    return {key: tuple(shape) for key, shape in content.items()}


def test_official_sizes_have_the_official_keys_and_shapes() -> None:
    assert _shapes(lambda: Llama(LlmConfig())) == _manifest("llm_official.json")
    assert _shapes(lambda: HiFT(HiftConfig())) == _manifest("hift_official.json")
    assert _shapes(lambda: FlowMatching(FlowConfig())) == _manifest("flow_official.json")
    config = SpeechTokenizerConfig()
    stored = _manifest("speech_tokenizer_official_encoder.json")
    used = {key: shape for name, shape in stored.items() if (key := encoder_key(name, config)) is not None}
    assert _shapes(lambda: SpeechTokenizer(config)) == used
