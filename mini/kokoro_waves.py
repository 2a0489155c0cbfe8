"""Makes the vocoders' training data from the clips of kokoro_data.py: one clip of each pair, at 24 and 32
kHz.

python -m mini.kokoro_waves --minutes 60      writes .mini/vocoder/
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from glm_tts_api.model.mel import resample
from mini.data import ClipSet
from mini.features import TOKEN_SAMPLES
from mini.program import Program
from mini.vocoder_data import FRAMES_PER_SECOND, to_int16, write


def join(parts: list[Path], folder: Path, *, minutes: float) -> None:
    """Writes `minutes` of waves from the data's `parts` to `folder`, with the pitch of each frame."""
    waves: dict[int, list[npt.NDArray[np.int16]]] = {24000: [], 32000: []}
    pitches: list[npt.NDArray[np.float16]] = []
    for part in parts:
        clips, start = ClipSet([part]), 0
        stored = np.memmap(part.with_suffix(".wave"), np.int16, "r")
        for i in range(0, len(clips.clips), 2):
            if sum(map(len, pitches)) >= minutes * 60 * FRAMES_PER_SECOND:
                break
            end = start + clips.clips[i].n_tokens * TOKEN_SAMPLES
            wave = np.array(stored[start:end])
            waves[24000].append(wave)
            at_32k = resample(torch.from_numpy(wave / np.float32(32768)), 24000, 32000)
            waves[32000].append(to_int16(at_32k, len(wave) // 3 * 4))
            pitches.append(np.array(clips.mel(i)[:, -1]))
            start = end
    folder.mkdir(parents=True, exist_ok=True)
    write(folder, waves, pitches)


def main() -> None:
    parser = Program(__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    args = parser.parse_args()
    parts = [path.with_suffix("") for path in sorted((args.folder / "data").glob("pairs*.wave"))]
    join(parts, args.folder / "vocoder", minutes=args.minutes)


if __name__ == "__main__":
    main()
