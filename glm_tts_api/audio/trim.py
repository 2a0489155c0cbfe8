"""A recording's file without what is not its sound: pictures, tags, junk behind its end. Knows no HTTP."""

from __future__ import annotations

import io

import numpy as np
import soundfile

from glm_tts_api.contracts import Recording

_HEADER_BYTES = 4096  # and some tags


def trimmed(data: bytes, recording: Recording) -> bytes:
    """`data`, which decode_audio makes `recording` of; or, where it is larger than these samples are, a file
    of them alone, of which decode_audio makes the same to the bit: FLAC where they are whole numbers of 24
    bits, else WAV."""
    samples, rate = recording.samples, recording.sample_rate
    if len(data) <= samples.nbytes + _HEADER_BYTES:
        return data
    file = io.BytesIO()
    whole = np.clip(samples * 2**31, -(2**31), 2**31 - 2**8).astype(np.int32) >> 8
    if (whole.astype(np.float32) / 2**23).tobytes() == samples.tobytes():
        soundfile.write(file, whole << 8, rate, subtype="PCM_24", format="FLAC")
    else:
        soundfile.write(file, samples, rate, subtype="FLOAT", format="WAV")
    return file.getvalue()
