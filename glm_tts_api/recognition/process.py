"""The process in which the recogniser runs: `python -m glm_tts_api.recognition.process FOLDER THREADS
DESCRIPTOR`. DESCRIPTOR is one end of a pair of sockets. The server starts the process (recogniser.py), and
the process ends with the server. It runs Whisper with CTranslate2."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glm_tts_api.audio.resample import Resampled
from glm_tts_api.contracts import Float32
from glm_tts_api.engine.frames import ChildSide, decoder
from glm_tts_api.processes import end_with_parent
from glm_tts_api.recognition.comparison import compare, in_words, verdict_of
from glm_tts_api.recognition.recogniser import Listen, Transcript
from speech_text import has_hanzi

logger = logging.getLogger(__name__)
_NICE = 5  # a lower priority than that of the engines
_RATE = 16000  # Hz, of Whisper's features
_LEAST_LOG_PROB, _MOST_COMPRESSION = -0.6, 2.4
_LEAST_TOKENS, _MOST_TOKENS_A_SECOND = 16, 16  # the limit on tokens, which stops a loop of the model
_AIR_S = 0.25  # silence added at both ends, since Whisper drops words that begin at once


@dataclass(frozen=True, slots=True)
class WhisperText:
    """The text that was heard. `log_prob` is the mean over its tokens; 0 is certain. `compression` is the
    highest ratio by which zlib compresses a part of the text; above 2.4 the recogniser repeated itself in a
    loop."""

    text: str
    log_prob: float
    compression: float

    @property
    def is_sure(self) -> bool:
        """Whether the transcript can be trusted, by limits that bench/heard.py measures."""
        return self.log_prob >= _LEAST_LOG_PROB and self.compression <= _MOST_COMPRESSION


class Whisper:
    """Whisper in int8. Each recording is heard on its own and without sampling, so the same samples give the
    same text."""

    def __init__(self, folder: Path, *, threads: int) -> None:
        """Loads the model in `folder`. Raises ImportError without faster-whisper, and RuntimeError or OSError
        if the folder has no model for it."""
        from faster_whisper import WhisperModel

        self._model: Any = WhisperModel(
            str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
        )

    def hear(self, pcm: Float32, rate: int, said: str | None) -> WhisperText:
        """Returns the words in the samples `pcm` at `rate` Hz. `said` is the text that should be said, which
        tells the language; None if it is unknown."""
        resampled = Resampled(rate, _RATE)
        heard = np.concatenate([resampled.push(pcm), resampled.finish()])
        padded = np.pad(heard, round(_AIR_S * _RATE)).astype(np.float32)
        if said is None:
            language = self._model.detect_language(padded)[0] if self._model.model.is_multilingual else "en"
        else:
            language = "zh" if has_hanzi(said) else "en"
        segments, _ = self._model.transcribe(
            padded,
            language=language,
            beam_size=5,
            temperature=0,
            condition_on_previous_text=False,
            without_timestamps=True,
            max_new_tokens=_LEAST_TOKENS + round(_MOST_TOKENS_A_SECOND * len(pcm) / rate),
        )
        found = [*segments]
        log_prob = sum(each.avg_logprob for each in found) / len(found) if found else 0.0
        text = ("" if language == "zh" else " ").join(each.text.strip() for each in found)
        compression = max((each.compression_ratio for each in found), default=0.0)
        return WhisperText(text, float(log_prob), float(compression))


def answer(ear: Whisper, asked: Listen) -> Transcript:
    """Hears the recording in `asked` and returns the words with a verdict. If `asked` has the text that
    should be said, the verdict is the result of comparing the words with that text; without the text it is
    "ok"."""
    transcript = ear.hear(asked.recording.samples, asked.recording.sample_rate, asked.said)
    if asked.said is None:
        return Transcript(in_words(transcript.text), "ok", 0.0)
    found = compare(asked.said, transcript.text)
    verdict = verdict_of(found, is_sure=transcript.is_sure)
    return Transcript(transcript.text, verdict, found.longest)


def serve(ear: Whisper, own: socket.socket) -> None:
    """Answers the messages on the socket `own` until the server closes it."""
    server = ChildSide(own, decoder(Listen))
    for asked in server:
        server.send(answer(ear, asked))


def main() -> None:
    end_with_parent()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.nice(_NICE)
    folder, threads, descriptor = sys.argv[1:]
    own = socket.socket(fileno=int(descriptor))
    try:
        ear = Whisper(Path(folder), threads=int(threads))
    except Exception as error:  # CTranslate2 raises several kinds
        logger.critical("The recogniser cannot load %s: %s", folder, error)
        sys.exit(1)
    serve(ear, own)


if __name__ == "__main__":
    main()
