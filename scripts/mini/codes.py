"""Computes the speech codes of all training clips with the trained speech tokenizer.

python -m scripts.mini.codes single0 single1 ...      writes .mini/codes/NAME.pkl, if the tokenizer is newer
"""

import argparse
import pickle
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from scripts.mini.data import ClipSet
from scripts.mini.features import N_WHISPER
from scripts.mini.speech_encoder import EncoderConfig, SpeechEncoder


def load_encoder(folder: Path) -> SpeechEncoder:
    encoder = SpeechEncoder(EncoderConfig())
    encoder.load_state_dict(torch.load(folder / "state.pt", weights_only=True)["encoder"])
    return encoder.eval()


@torch.inference_mode()
def encode_part(encoder: SpeechEncoder, part: Path, *, tokens: int = 6000) -> list[npt.NDArray[np.int16]]:
    """Returns the codes [n_tokens] of every clip of a part of the data, in the order of the clips.

    Clips are encoded in batches of at most `tokens` tokens. Padding is masked as in the server.
    """
    clips = ClipSet([part], mel=False)
    order = sorted(range(len(clips.clips)), key=lambda i: clips.clips[i].n_tokens)
    result: list[npt.NDArray[np.int16]] = [np.zeros(0, np.int16)] * len(order)
    while order:
        rows = [order.pop()]
        longest = clips.clips[rows[0]].n_tokens
        while order and longest * (len(rows) + 1) <= tokens:
            rows.append(order.pop())
        features = torch.zeros(len(rows), 4 * longest, N_WHISPER)
        lengths = torch.tensor([clips.clips[i].n_tokens for i in rows])
        for row, i in enumerate(rows):
            whisper = torch.from_numpy(np.array(clips.whisper(i))).float()
            features[row, : len(whisper)] = whisper
            features[row, len(whisper) :] = whisper.min()
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--folder", type=Path, default=Path(".mini"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    encoder = load_encoder(args.folder / "tokenizer")
    out: Path = args.folder / "codes"
    out.mkdir(exist_ok=True)
    trained = (args.folder / "tokenizer" / "state.pt").stat().st_mtime
    for name in args.names:
        made = out / f"{name}.pkl"
        if not made.exists() or made.stat().st_mtime < trained:
            codes = encode_part(encoder, args.folder / "data" / name)
            made.write_bytes(pickle.dumps(codes))
            print(f"{name}: {len(codes)} clips, {sum(map(len, codes)) / 90000:.1f} h", flush=True)


if __name__ == "__main__":
    main()
