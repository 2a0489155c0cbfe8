"""Makes recordings smaller: removes everything from a file that is not sound (pictures, tags, junk after its
end), or the silence at a recording's ends. Knows no HTTP."""

from __future__ import annotations

import io

import numpy as np
import soundfile

from glm_tts_api.audio.decode import RecordingLimits, decode_audio
from glm_tts_api.audio.measure import measure
from glm_tts_api.contracts import Recording

_HEADER_BYTES = 4096  # room for a header and some tags


def trimmed(data: bytes, recording: Recording) -> bytes:
    """Returns the file `data`, whose decoded form is `recording`. If the file is more than 4096 bytes larger
    than the samples of `recording`, returns a new file with only these samples instead."""
    return data if len(data) <= recording.samples.nbytes + _HEADER_BYTES else _file_of(recording)


def without_silence(data: bytes, limits: RecordingLimits) -> bytes:
    """Returns `data` without the silence at its ends, as a new mono file: FLAC, or WAV with floats. 0.2 s are
    kept on each side. If no speech can be told from the noise, all is kept. The result may be shorter than
    `limits` allow. Raises the errors of decode_audio for `data`."""
    recording = decode_audio(data, limits)
    start, end = (round(at * recording.sample_rate) for at in measure(recording).keep)
    return _file_of(Recording(recording.samples[start:end], recording.sample_rate))


def _file_of(recording: Recording) -> bytes:
    """Returns a file that decode_audio decodes to exactly these samples: FLAC if they are 24-bit integers,
    else WAV with floats."""
    samples, rate = recording.samples, recording.sample_rate
    file = io.BytesIO()
    whole = np.clip(samples * 2**31, -(2**31), 2**31 - 2**8).astype(np.int32) >> 8
    if (whole.astype(np.float32) / 2**23).tobytes() == samples.tobytes():
        soundfile.write(file, whole << 8, rate, subtype="PCM_24", format="FLAC")
    else:
        soundfile.write(file, samples, rate, subtype="FLOAT", format="WAV")
    return file.getvalue()
