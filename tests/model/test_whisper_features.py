"""What the speech tokenizer hears, against transformers' extractor."""

from __future__ import annotations

import pytest
import torch

from glm_tts_api.model.speech_tokenizer import WhisperFeatures


def _speech(n: int, seed: int) -> torch.Tensor:
    return 0.1 * torch.randn(n, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("feature_size", [80, 128])
@pytest.mark.parametrize("lengths", [[1], [640], [16_001, 15_999], [480_000, 33_000]])
def test_features_and_mask_equal_those_of_transformers_to_the_bit(
    feature_size: int, lengths: list[int]
) -> None:
    from transformers import WhisperFeatureExtractor

    waves = [_speech(n, seed=n) for n in lengths]
    theirs = WhisperFeatureExtractor(feature_size=feature_size)(
        [wave.numpy() for wave in waves],
        sampling_rate=16000,
        padding="longest",
        pad_to_multiple_of=640,
        return_attention_mask=True,
        return_tensors="pt",
    )
    features, mask = WhisperFeatures(feature_size).extract(waves, multiple=640)
    assert torch.equal(features, theirs["input_features"])
    assert torch.equal(mask, theirs["attention_mask"].bool())


@pytest.mark.parametrize(
    "broken", [{"sampling_rate": 24000}, {"dither": 0.1}, {"hop_length": 0}, {"n_fft": "4"}]
)
def test_a_preprocessor_that_cannot_be_followed_is_refused_by_its_fields_name(
    broken: dict[str, object],
) -> None:
    (name,) = broken
    with pytest.raises(ValueError, match=name):
        WhisperFeatures.from_dict(broken)
