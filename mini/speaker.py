"""Makes the speaker encoder of the mini model: statistics of filter banks times one matrix, as an ONNX file.

The statistics are the spread of each bin over time, the differences of neighbouring bins (which show
harmonics, and so the pitch), and the differences of neighbouring frames. All statistics are standardised. The
matrix raises the differences between voices, and lowers the differences between sentences.

    python -m mini.speaker      writes .mini/speaker/{campplus.onnx,projection.pt}
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from mini.data import SPEAKER_STATISTICS, load_speaker_statistics, speaker_statistics
from mini.program import Program

DIM = 192


def fit(statistics: Tensor, voices: list[str]) -> tuple[Tensor, Tensor]:
    """Computes the speaker encoder's projection from statistics [n, S]: returns (mean [S], matrix [S, 192]).

    The matrix whitens the differences within voices, and raises the directions in which voices differ.
    """
    mean, std = statistics.mean(0), statistics.std(0).clamp(min=1e-4)
    x = (statistics - mean) / std
    names = sorted(set(voices))
    label = torch.tensor([names.index(v) for v in voices])
    centres = torch.stack([x[label == i].mean(0) for i in range(len(names))])
    within = x - centres[label]
    covariance = within.T @ within / len(x)
    values, vectors = torch.linalg.eigh(covariance + 0.1 * torch.eye(len(covariance)))
    whiten = vectors @ torch.diag(values.rsqrt()) @ vectors.T
    between = torch.linalg.svd((centres - centres.mean(0)) @ whiten, full_matrices=False)
    directions = between.Vh[: len(names) - 1]
    raise_between = torch.eye(len(covariance)) + 2.0 * directions.T @ directions
    generator = torch.Generator().manual_seed(7)
    spread = torch.linalg.qr(torch.randn(len(covariance), DIM, generator=generator)).Q
    keep = torch.linalg.svd(whiten @ raise_between @ spread, full_matrices=False)
    matrix = keep.U @ torch.diag(keep.S) @ keep.Vh
    return mean, matrix / std[:, None]


def export(mean: Tensor, matrix: Tensor, path: Path) -> None:
    """Writes the speaker encoder as an ONNX model: filter banks [1, T, 80] to an embedding [1, 192]."""

    def constant(name: str, value: npt.NDArray[np.generic]) -> onnx.TensorProto:
        return numpy_helper.from_array(value, name)

    constants = [
        constant("mean", mean.numpy().astype(np.float32)),
        constant("matrix", matrix.numpy().astype(np.float32)),
        constant("zero", np.array([0], np.int64)),
        constant("one", np.array([1], np.int64)),
        constant("last", np.array([-1], np.int64)),
        constant("end", np.array([2**31 - 1], np.int64)),
        constant("time", np.array([1], np.int64)),
        constant("bins", np.array([2], np.int64)),
        constant("small", np.array(1e-6, np.float32)),
    ]

    def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> onnx.NodeProto:
        return helper.make_node(kind, inputs, [output], **attributes)

    nodes = [node("Mul", ["fbank", "fbank"], "square"),
             node("ReduceMean", ["square", "time"], "variance", keepdims=0),
             node("Add", ["variance", "small"], "positive"),
             node("Sqrt", ["positive"], "spread")]  # fmt: skip
    for name, axis in (("bins", "bins"), ("time", "time")):
        nodes += [
            node("Slice", ["fbank", "one", "end", axis], f"after_{name}"),
            node("Slice", ["fbank", "zero", "last", axis], f"before_{name}"),
            node("Sub", [f"after_{name}", f"before_{name}"], f"step_{name}"),
            node("Abs", [f"step_{name}"], f"size_{name}"),
            node("ReduceMean", [f"size_{name}", "time"], f"mean_{name}", keepdims=0),
        ]
    nodes += [
        node("Concat", ["spread", "mean_bins", "mean_time"], "statistics", axis=1),
        node("Sub", ["statistics", "mean"], "centred"),
        node("MatMul", ["centred", "matrix"], "embedding"),
    ]
    graph = helper.make_graph(
        nodes, "speaker",
        [helper.make_tensor_value_info("fbank", TensorProto.FLOAT, [1, "frames", 80])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, DIM])],
        constants,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def check(path: Path, mean: Tensor, matrix: Tensor) -> None:
    """Asserts that the ONNX file gives the same embedding as a direct computation with `mean` and
    `matrix`."""
    from glm_tts_api.model.speaker_encoder import SpeakerEncoder, kaldi_fbank

    wave = torch.randn(48000, generator=torch.Generator().manual_seed(0)) * 0.1
    wanted = (speaker_statistics(kaldi_fbank(wave)) - mean) @ matrix
    got = SpeakerEncoder(path).embed(wave)[0]
    torch.testing.assert_close(got, wanted, rtol=1e-3, atol=1e-3)


def main() -> None:
    parser = Program(__doc__)
    args = parser.parse_args()
    parts = [path.with_suffix("") for path in sorted((args.folder / "data").glob("pairs*.speaker"))]
    statistics, voices = load_speaker_statistics(parts)
    assert statistics.shape[1] == SPEAKER_STATISTICS
    out: Path = args.folder / "speaker"
    out.mkdir(exist_ok=True)
    mean, matrix = fit(statistics, voices)
    torch.save({"mean": mean, "matrix": matrix}, out / "projection.pt")
    export(mean, matrix, out / "campplus.onnx")
    check(out / "campplus.onnx", mean, matrix)
    unit = torch.nn.functional.normalize((statistics - mean) @ matrix, dim=1)
    names = sorted(set(voices))
    same = torch.tensor([names.index(v) for v in voices])
    some = torch.randperm(len(unit), generator=torch.Generator().manual_seed(0))[:1500]
    cosine, equal = unit[some] @ unit[some].T, same[some][:, None] == same[some][None]
    equal_only = equal & ~torch.eye(len(some), dtype=torch.bool)
    print(f"cosine: same voice {cosine[equal_only].mean():.3f}, other voice {cosine[~equal].mean():.3f}")


if __name__ == "__main__":
    main()
