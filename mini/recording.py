"""Changes speech as if a phone or a laptop had recorded it: a room, noise, a narrow band, another level."""

import random

import numpy as np
import numpy.typing as npt
import scipy

Floats = npt.NDArray[np.float32]

_RATE = 24000
_BANDS_HZ = (3400, 5000, 7000, 11000)


def as_recorded(wave: Floats, rng: random.Random) -> Floats:
    """Returns the 24 kHz wave as a random device in a random room would record it, with the same length."""
    noise = np.random.default_rng(rng.getrandbits(32))
    sound = _in_room(wave, rng, noise)
    sound = sound + _noise(len(wave), rng, noise) * _rms(wave) * 10 ** (-rng.uniform(15, 40) / 20)
    low, high = rng.uniform(40, 250), rng.choice(_BANDS_HZ)
    sound = scipy.signal.sosfilt(scipy.signal.butter(2, low, "highpass", fs=_RATE, output="sos"), sound)
    sound = scipy.signal.sosfilt(scipy.signal.butter(6, high, "lowpass", fs=_RATE, output="sos"), sound)
    loudest = float(np.abs(sound).max(initial=1e-6))
    levelled: Floats = (sound * (rng.uniform(0.2, 0.9) / loudest)).astype(np.float32)
    return levelled


def _in_room(wave: Floats, rng: random.Random, noise: np.random.Generator) -> npt.NDArray[np.float64]:
    """Returns `wave` with the echoes of a random room, which decay by 60 dB within 0.1 to 0.5 s."""
    decay_s, echoes_db = rng.uniform(0.1, 0.5), rng.uniform(-18, -3)
    t = np.arange(round(decay_s * _RATE)) / _RATE
    response = noise.standard_normal(len(t)) * 10 ** (-3 * t / decay_s) * (t > 0.002)
    response *= 10 ** (echoes_db / 20) / np.sqrt(np.square(response).sum())
    response[0] = 1.0
    heard: npt.NDArray[np.float64] = scipy.signal.fftconvolve(wave, response)[: len(wave)]
    return heard


def _noise(length: int, rng: random.Random, noise: np.random.Generator) -> npt.NDArray[np.float64]:
    """Returns `length` samples of noise of power 1, with a random spectrum between white and brown."""
    spectrum = np.fft.rfft(noise.standard_normal(length))
    spectrum /= np.maximum(np.fft.rfftfreq(length, 1 / _RATE), 50) ** rng.uniform(0, 1)
    sound = np.fft.irfft(spectrum, length)
    coloured: npt.NDArray[np.float64] = sound / _rms(sound)
    return coloured


def _rms(wave: npt.NDArray[np.floating]) -> float:
    return float(np.sqrt(np.square(wave, dtype=np.float64).mean() + 1e-12))
