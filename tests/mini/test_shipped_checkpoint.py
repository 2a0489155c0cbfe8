"""The bundled checkpoint keeps its promises: size, layout, vocabulary, codes, voices."""

import json
import zipfile
from pathlib import Path

import pytest
import soundfile as sf
import torch

from glm_tts_api.model.checkpoint import Models, load_checkpoint, require_servable
from glm_tts_api.model.mel import resample

ROOT = Path(__file__).parents[2]
MINI = ROOT / "glm_tts_api" / "assets" / "mini"
VOICES = ("exampleA", "exampleB", "woman-mandarin", "man-mandarin", "woman-english", "man-english")


@pytest.fixture(scope="module")
def models() -> Models:
    return load_checkpoint(MINI, device="cpu")


@pytest.fixture(scope="module")
def prompts() -> dict[str, torch.Tensor]:
    """The default prompts at 16 kHz."""
    waves = {}
    for name in VOICES:
        wave, rate = sf.read(MINI / "prompts" / f"{name}.wav", dtype="float32")
        waves[name] = resample(torch.from_numpy(wave), rate, 16000)
    return waves


def test_layout_and_size() -> None:
    require_servable(MINI, device="cpu", dtype="auto")
    assert sum(p.stat().st_size for p in MINI.rglob("*") if p.is_file()) <= 70_000_000


def test_the_bundled_model_takes_two_flow_steps_and_asks_for_short_segments(models: Models) -> None:
    assert models.flow.config.steps == 2
    assert models.llm.config.longest_segment == 30


def test_the_32_khz_generator_holds_no_more_code_than_its_own_and_no_path_of_a_machine() -> None:
    """F.interpolate would bring operators along that PyTorch 2.9, which pyproject.toml allows, lacks."""
    with zipfile.ZipFile(MINI / "vocos2d" / "generator_jit.ckpt") as archive:
        names = archive.namelist()
        code = "".join(archive.read(name).decode() for name in names if name.endswith(".py"))
    assert not [name for name in names if name.endswith(".debug_pkl")]
    assert "upsample_linear1d" in code
    assert "_upsample" not in code
    assert "interpolate" not in code


def test_prompts_are_listed_with_their_words_and_of_the_advised_length(
    prompts: dict[str, torch.Tensor],
) -> None:
    voices = json.loads((ROOT / "configs" / "prompt_cache.json").read_text(encoding="utf-8"))
    assert tuple(voices) == VOICES
    for name in VOICES:
        assert (ROOT / voices[name]["prompt_audio_path"]).is_file()
        assert voices[name]["prompt_text"][-1] in "。？."
        assert 3 <= len(prompts[name]) / 16000 <= 10


def test_a_hanzi_or_common_word_is_one_id_and_audio_ids_are_the_last(models: Models) -> None:
    tokenizer = models.text_tokenizer
    common = (*"你好我的行", " the", " you", " people", " tomorrow", " grandmother")
    assert all(len(tokenizer.encode(text)[0]) == 1 for text in common)
    n_codes = models.speech_tokenizer.config.quantize_vocab_size
    assert tokenizer.audio_end == tokenizer.audio_start + n_codes
    assert len(tokenizer.encode("<|X|><|ING2|>")[0]) == 2


def test_code_zero_is_never_heard(models: Models, prompts: dict[str, torch.Tensor]) -> None:
    noise = 0.1 * torch.randn(48000, generator=torch.Generator().manual_seed(0))
    for tokens in models.speech_tokenizer.tokenize([*prompts.values(), noise, torch.zeros(16000)]):
        assert int(tokens.min()) > 0
        assert int(tokens.max()) < models.speech_tokenizer.config.quantize_vocab_size


def test_voices_are_told_apart(models: Models, prompts: dict[str, torch.Tensor]) -> None:
    half = {name: (wave[: len(wave) // 2], wave[len(wave) // 2 :]) for name, wave in prompts.items()}
    vectors = {
        name: [torch.nn.functional.normalize(models.speaker_encoder.embed(part)[0], dim=0) for part in parts]
        for name, parts in half.items()
    }
    same = min(float(a @ b) for a, b in vectors.values())
    other = max(float(a @ b) for a in vectors["exampleA"] for b in vectors["exampleB"])
    assert same > other + 0.1
