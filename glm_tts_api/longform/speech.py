"""Reads the speech of a job's units, the pieces that are spoken one by one, from the disk. Blocking."""

from __future__ import annotations

import io
import logging
from contextlib import suppress

import numpy as np
import soundfile

from glm_tts_api.contracts import Float32
from glm_tts_api.errors import JobRefuses
from glm_tts_api.longform.shelf import Look

logger = logging.getLogger(__name__)


def speech_of(look: Look, index: int) -> Float32:
    """Returns the samples [n] in [-1, 1] of unit number `index`, read from its FLAC. The unit must be spoken
    already. The silence after the unit is not included; a unit without speech gives an empty array. Raises
    JobRefuses if the file is damaged or missing."""
    n_samples, silence = look.made.speech[index], look.made.silence[index]
    if not n_samples:
        return np.zeros(0, np.float32)
    file = look.folder.audio_file(index, n_samples, silence)
    with suppress(OSError, soundfile.LibsndfileError):
        speech: Float32 = soundfile.read(io.BytesIO(file.read_bytes()), dtype="float32")[0]
        if len(speech) == n_samples:
            return speech
    raise JobRefuses(
        f"The audio of segment {index + 1} is damaged or missing on the disk ({file.name}): resume the job, "
        "and this segment is spoken again."
    )


def remove_damaged(look: Look) -> bool:
    """Removes the audio file of each unit that `speech_of` cannot read, so that the next run of the job
    speaks the unit again. All units must be spoken. Returns whether such a unit was found."""
    found = False
    for index, sizes in enumerate(zip(look.made.speech, look.made.silence, strict=True)):
        try:
            speech_of(look, index)
        except JobRefuses as damage:
            logger.warning("Job %s: %s", look.folder.path.name, damage)
            look.folder.audio_file(index, *sizes).unlink(missing_ok=True)
            found = True
    return found
