"""Keeps the LLM's training data of the next mini in small files, so that another machine can go on.

    python -m scripts.mini.kept pack single000 single001 --out scripts/mini/natural/speech0.npz
    python -m scripts.mini.kept unpack        writes .mini/data/*.pkl and .mini/codes/*.pkl of every file

A file holds the text, the voice, the times of the characters and the speech codes of each clip. The codes are
those of the tokenizer beside the files; another tokenizer needs the speech anew (kokoro_data.py).
"""

import argparse
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.mini.codes import load_codes
from scripts.mini.data import Clip, load_clips

KEPT = Path("scripts/mini/natural")


def pack(folder: Path, names: list[str], out: Path) -> None:
    """Writes the clips and the codes of the data's parts `names` to one file."""
    clips, codes, parts = [], [], []
    for name in names:
        found = load_clips(folder / "data" / name)
        clips += found
        codes += load_codes(folder / "codes", name)
        parts += [name] * len(found)
    rows = [
        [part, clip.text_id, clip.text, clip.language, clip.voice, len(clip.char_ms), clip.n_tokens]
        for part, clip in zip(parts, clips, strict=True)
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        out,
        rows=np.frombuffer(json.dumps(rows, ensure_ascii=False).encode(), np.uint8),
        char_ms=_joined([np.diff(clip.char_ms, prepend=0) for clip in clips]),
        char_index=_joined([np.diff(clip.char_index, prepend=0) for clip in clips]),
        codes=_joined(codes),
    )


def unpack(file: Path, folder: Path) -> list[str]:
    """Writes the clips and the codes of `file` as parts of the data in `folder`, and returns their names.

    The clips have no phonemes. A part that exists is written anew.
    """
    content = np.load(file)
    parts: dict[str, tuple[list[dict[str, Any]], list[npt.NDArray[np.int16]]]] = {}
    at_char = at_code = 0
    for part, text_id, text, language, voice, n_chars, n_tokens in json.loads(content["rows"].tobytes()):
        chars = slice(at_char, at_char + n_chars)
        char_ms, char_index = (
            content[name][chars].cumsum(dtype=np.int32) for name in ("char_ms", "char_index")
        )
        clip = Clip(text_id, text, language, voice, n_tokens, np.zeros(0, np.int32), (), char_ms, char_index)
        clips, codes = parts.setdefault(part, ([], []))
        clips.append(vars(clip))
        codes.append(content["codes"][at_code : at_code + n_tokens])
        at_char, at_code = at_char + n_chars, at_code + n_tokens
    for part, (clips, codes) in parts.items():
        for place, written in ((folder / "data", clips), (folder / "codes", codes)):
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{part}.pkl").write_bytes(pickle.dumps(written))
    return [*parts]


def _joined(arrays: list[npt.NDArray[Any]]) -> npt.NDArray[np.int16]:
    return np.concatenate(arrays).astype(np.int16)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=("pack", "unpack"))
    parser.add_argument("names", nargs="*", help="the parts to pack")
    parser.add_argument("--folder", type=Path, default=Path(".mini"))
    parser.add_argument("--out", type=Path, default=KEPT / "speech0.npz")
    args = parser.parse_args()
    if args.action == "pack":
        pack(args.folder, args.names, args.out)
        print(f"{args.out}: {args.out.stat().st_size / 1e6:.2f} MB")
    else:
        for file in sorted(KEPT.glob("*.npz")):
            print(f"{file}: {len(unpack(file, args.folder))} parts")


if __name__ == "__main__":
    main()
