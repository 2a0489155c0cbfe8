"""Measures what lower precision and fewer flow steps change, on the bundled model and held-out sentences.

    python -m mini.precision --sentences 20

The LLM samples speech tokens in float32, and then reads them again with each kind of weights. The program
compares how likely the LLM finds these tokens, and how often its first choice is the same. The flow's mel is
compared with the mel of 10 steps in float32.
"""

import copy
import time
from collections import defaultdict

import torch
from torch import Tensor

from glm_tts_api.contracts import SamplingOptions, SpeechRequest
from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.decode_batcher import DecodeBatcher
from glm_tts_api.engine.input_processor import InputProcessor
from glm_tts_api.engine.messages import Speak
from glm_tts_api.engine.request import EngineRequest
from glm_tts_api.engine.voice_features import VoiceFeatures
from glm_tts_api.model.checkpoint import Models, load_checkpoint
from glm_tts_api.model.flow import FlowInput
from glm_tts_api.model.inspection import inspect
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.linear import Fp8Linear, Int8Linear, MakeLinear, PackedLinear
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.settings import BUNDLED_MODEL
from mini.heldout import CHINESE, ENGLISH
from mini.program import Program
from mini.speaking import Server, WaveSink

KINDS: dict[str, MakeLinear] = {"bf16": PackedLinear, "int8": Int8Linear, "fp8": Fp8Linear}
FLOW_STEPS = (4, 6, 8, 10, 20, 40)
REFERENCE_STEPS = 10
SEED = 1000


def drawn_tokens(batcher: DecodeBatcher, request: EngineRequest) -> tuple[list[int], list[int]]:
    """Decodes the first segment of a request. Returns the ids of its prompt and the sampled speech tokens."""
    sequence = request.next_sequence(batcher.layout)
    batcher.join(0, sequence)
    while True:
        if batcher.step():
            return sequence.prompt_ids, sequence.tokens


def choices(llm: LlmRunner, prompt_ids: list[int], tokens: list[int]) -> Tensor:
    """Returns the log-probabilities [n, columns] at the positions where `tokens` were sampled."""
    ids = [*prompt_ids, *llm.sampled_ids[tokens].tolist()]
    cache = KVCache(llm.config, slots=1, slot_length=len(ids), dtype=llm.dtype, device=llm.device)
    hidden = llm.prefill(ids, cache=cache, slot=0)
    return llm.logits(hidden[len(prompt_ids) - 1 : -1]).log_softmax(-1)


def flow_input(models: Models, request: EngineRequest, tokens: list[int]) -> FlowInput:
    voice = request.segments[0].prompt
    return FlowInput(
        tokens=torch.tensor(tokens),
        speaker=voice.embedding,
        noise=torch.Generator().manual_seed(SEED),
        prompt_tokens=torch.tensor(voice.speech_tokens),
        prompt_mel=voice.mel,
    )


def mels(models: Models, request: EngineRequest, tokens: list[int]) -> dict[str, tuple[Tensor, float]]:
    """Samples the mel with several numbers of steps and in bfloat16. Returns name -> (mel, seconds)."""
    found = {}
    for steps in FLOW_STEPS:
        start = time.perf_counter()
        mel = models.flow.sample(flow_input(models, request, tokens), steps=steps)
        found[f"{steps} steps"] = mel, time.perf_counter() - start
    half = copy.deepcopy(models.flow).pack(torch.bfloat16)
    start = time.perf_counter()
    mel = half.sample(flow_input(models, request, tokens), steps=REFERENCE_STEPS)
    found[f"{REFERENCE_STEPS} steps, bf16"] = mel, time.perf_counter() - start
    return found


@torch.inference_mode()
def compare(server: Server, models: Models, variants: dict[str, LlmRunner], texts: list[str]) -> None:
    config = EngineConfig(n_rows=1)
    features = VoiceFeatures(models, 4)
    processor = InputProcessor(models, server.frontend, features, config.stream_chunks)
    batcher = DecodeBatcher(models, config)
    likely, same = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
    errors, seconds = defaultdict[str, list[float]](list), defaultdict[str, float](float)
    for number, text in enumerate(texts):
        voice = server.voice(("exampleA", "exampleB")[number % 2])
        utterance = SpeechRequest("precision", text, voice, SamplingOptions(seed=SEED + number))
        request = processor.request(Speak(0, utterance), WaveSink())
        prompt_ids, tokens = drawn_tokens(batcher, request)
        first_choices = choices(models.llm, prompt_ids, tokens).argmax(1)
        for name, variant in variants.items():
            scores = choices(variant, prompt_ids, tokens)
            likely[name].append(float(scores.gather(1, torch.tensor(tokens)[:, None]).mean()))
            same[name].append(float((scores.argmax(1) == first_choices).float().mean()))
        made = mels(models, request, tokens)
        reference = made[f"{REFERENCE_STEPS} steps"][0]
        for name, (mel, spent) in made.items():
            errors[name].append(float((mel - reference).abs().mean()))
            seconds[name] += spent
    for name in variants:
        print(f"LLM {name:>5}: log-probability of a token {mean(likely[name]):.4f}, "
              f"same first choice {100 * mean(same[name]):.1f} %")  # fmt: skip
    whole = seconds[f"{REFERENCE_STEPS} steps"]
    for name in errors:
        share = seconds[name] / whole
        print(f"flow, {name:>14}: log mel off by {mean(errors[name]):.4f}, {share:.2f} of the time")


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def main() -> None:
    parser = Program(__doc__)
    parser.add_argument("--sentences", type=int, default=20)
    args = parser.parse_args()
    models = load_checkpoint(BUNDLED_MODEL, device="cpu")
    ids, load = models.llm.sampled_ids.tolist(), inspect(BUNDLED_MODEL).llm.load
    variants = {"fp32": models.llm}
    for name, linear in KINDS.items():
        dtype = torch.float32 if name == "int8" else torch.bfloat16
        variants[name] = LlmRunner(load(), sampled_ids=ids, device="cpu", dtype=dtype, linear=linear)
    server = Server(args.folder, flow_steps=REFERENCE_STEPS)
    texts = [text for pair in zip(CHINESE, ENGLISH, strict=True) for text in pair]
    compare(server, models, variants, texts[: args.sentences])


if __name__ == "__main__":
    main()
