"""Computes the speech codes of all training clips with the trained speech tokenizer.

python -m mini.codes single0 single1 ...      writes .mini/codes/NAME.pkl, if the tokenizer is newer

It writes the codes of the same speech at two other paces too, to .mini/codes/PACE/NAME.pkl.
"""

import pickle
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from mini.data import ClipSet
from mini.features import N_WHISPER
from mini.program import Program
from mini.speech_encoder import SpeechEncoder, encoder_config

PACES = {"slow": 0.88, "fast": 1.13}  # of the copies that the language model learns from as well


def load_encoder(folder: Path) -> SpeechEncoder:
    encoder = SpeechEncoder(encoder_config())
    encoder.load_state_dict(torch.load(folder / "state.pt", weights_only=True)["encoder"])
    return encoder.eval()


def at_pace(whisper: npt.NDArray[np.float16], pace: float) -> Tensor:
    """Returns features [4 * n_tokens, 80], stretched in time to a whole number of tokens at `pace`.

    The pitch stays, since features are stretched and not samples.
    """
    frames = torch.from_numpy(whisper).float()
    if pace == 1:
        return frames
    length = 4 * max(1, round(len(frames) / 4 / pace))
    return F.interpolate(frames.T[None], size=length, mode="linear")[0].T


@torch.inference_mode()
def encode_part(
    encoder: SpeechEncoder, part: Path, *, pace: float = 1.0, tokens: int = 6000
) -> list[npt.NDArray[np.int16]]:
    """Returns the codes [n_tokens] of every clip of a part of the data, in the order of the clips.

    Clips are encoded in batches of at most `tokens` tokens. Padding is masked as in the server.
    """
    clips = ClipSet([part])
    whispers = [at_pace(np.array(clips.whisper(i)), pace) for i in range(len(clips.clips))]
    order = sorted(range(len(whispers)), key=lambda i: len(whispers[i]))
    result: list[npt.NDArray[np.int16]] = [np.zeros(0, np.int16)] * len(order)
    while order:
        rows = [order.pop()]
        longest = len(whispers[rows[0]]) // 4
        while order and longest * (len(rows) + 1) <= tokens:
            rows.append(order.pop())
        features = torch.zeros(len(rows), 4 * longest, N_WHISPER)
        lengths = torch.tensor([len(whispers[i]) // 4 for i in rows])
        for row, i in enumerate(rows):
            features[row, : len(whispers[i])] = whispers[i]
            features[row, len(whispers[i]) :] = whispers[i].min()
        with torch.autocast("cpu", torch.bfloat16):
            hidden = encoder(features, lengths=lengths)
        codes = encoder.codes(hidden)
        for row, i in enumerate(rows):
            result[i] = codes[row, : lengths[row]].to(torch.int16).numpy()
    return result


def load_codes(folder: Path, name: str) -> list[npt.NDArray[np.int16]]:
    codes: list[npt.NDArray[np.int16]] = pickle.loads((folder / f"{name}.pkl").read_bytes())
    return codes


def main() -> None:
    parser = Program(__doc__)
    parser.add_argument("names", nargs="+")
    args = parser.parse_args()
    encoder = load_encoder(args.folder / "tokenizer")
    out: Path = args.folder / "codes"
    out.mkdir(exist_ok=True)
    trained = (args.folder / "tokenizer" / "state.pt").stat().st_mtime
    for name in args.names:
        for pace_folder, pace in {".": 1.0, **PACES}.items():
            made = out / pace_folder / f"{name}.pkl"
            made.parent.mkdir(exist_ok=True)
            if not made.exists() or made.stat().st_mtime < trained:
                codes = encode_part(encoder, args.folder / "data" / name, pace=pace)
                made.write_bytes(pickle.dumps(codes))
                print(f"{made}: {len(codes)} clips, {sum(map(len, codes)) / 90000:.1f} h", flush=True)


if __name__ == "__main__":
    main()
