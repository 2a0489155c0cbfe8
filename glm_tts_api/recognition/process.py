"""The process in which the recogniser runs: `python -m glm_tts_api.recognition.process FOLDER THREADS
DESCRIPTOR`. DESCRIPTOR is one end of a pair of sockets. The server starts the process (recogniser.py), and
the process ends with the server."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from pathlib import Path

from glm_tts_api.engine.frames import ChildSide, decoder
from glm_tts_api.processes import end_with_parent
from glm_tts_api.recognition.comparison import compare, in_words, verdict_of
from glm_tts_api.recognition.model import Ear, Whisper
from glm_tts_api.recognition.recogniser import Heard, Listen

logger = logging.getLogger(__name__)
_NICE = 5  # a lower priority than that of the engines


def answer(ear: Ear, asked: Listen) -> Heard:
    """Hears the recording in `asked` and returns the words with a verdict. If `asked` has the text that
    should be said, the verdict is the result of comparing the words with that text; without the text it is
    "ok"."""
    transcript = ear.hear(asked.recording.samples, asked.recording.sample_rate, asked.said)
    if asked.said is None:
        return Heard(in_words(transcript.text), "ok", 0.0)
    found = compare(asked.said, transcript.text)
    verdict = verdict_of(found, is_sure=transcript.is_sure)
    return Heard(transcript.text, verdict, found.longest)


def serve(ear: Ear, own: socket.socket) -> None:
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
