"""Compares the melody (the movement of the pitch) of two readings of a text.

In Chinese it shows wrong tones.
"""

import numpy as np
import numpy.typing as npt
import scipy

Frames = npt.NDArray[np.float32]


def pitch_correlation(mel_and_pitch: Frames, reference: Frames) -> float:
    """Returns the correlation of log F0 between two readings of a text, over frames voiced in both.

    Both arguments are [frames, 81]: log mel, then log F0 or 0 where unvoiced. Frames are matched by dynamic
    time warping on the cepstrum. 1 means the same melody, and 0 an unrelated melody. The result is NaN if the
    pitch is constant or fewer than 10 frames are voiced.
    """
    pairs = _warp(_cepstrum(mel_and_pitch[:, :-1]), _cepstrum(reference[:, :-1]))
    a, b = mel_and_pitch[pairs[:, 0], -1], reference[pairs[:, 1], -1]
    voiced = (a > 0) & (b > 0)
    if voiced.sum() < 10 or not a[voiced].std() or not b[voiced].std():
        return float("nan")
    return float(np.corrcoef(a[voiced], b[voiced])[0, 1])


def _cepstrum(mel: Frames) -> Frames:
    """Returns twelve cepstral coefficients for each frame, minus their mean over time, to compare voices."""
    cepstrum = scipy.fft.dct(mel, axis=1, norm="ortho")[:, 1:13]
    return np.asarray(cepstrum - cepstrum.mean(0), np.float32)


def _warp(a: Frames, b: Frames) -> npt.NDArray[np.intp]:
    """Returns the cheapest monotonic matching of the rows of `a` and `b`, [n, 2] pairs of row indices."""
    distance = np.sqrt(np.maximum(0, (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T))
    total = np.full((len(a) + 1, len(b) + 1), np.inf)
    total[0, 0] = 0
    for diagonal in range(len(a) + len(b) - 1):
        i = np.arange(max(0, diagonal - len(b) + 1), min(len(a), diagonal + 1))
        j = diagonal - i
        cheapest = np.minimum(total[i, j], np.minimum(total[i, j + 1], total[i + 1, j]))
        total[i + 1, j + 1] = cheapest + distance[i, j]
    cell = (len(a), len(b))
    path = []
    while all(cell):
        row, column = cell[0] - 1, cell[1] - 1
        path.append((row, column))
        cell = min(((row, column), (row, column + 1), (row + 1, column)), key=lambda before: total[before])
    return np.array(path[::-1])
