"""The messages between the server and the recogniser's process. Each Listen has its answer Heard before the
next Listen is sent. engine/frames.py frames them on the socket."""

from __future__ import annotations

from msgspec import Struct, msgpack

from glm_tts_api.contracts import Verdict


class Listen(Struct, frozen=True, eq=False, array_like=True, tag=True):
    """Asks for the words in a recording. `samples` are the bytes of mono float32 samples. `said` is the text
    that should be said there, with figures written out; None if it is unknown."""

    samples: memoryview
    sample_rate: int
    said: str | None


class Heard(Struct, frozen=True, eq=False, array_like=True, tag=True):
    """The answer to a Listen message. `text` are the words that were heard. `distance` says how far they are
    from the words that should be said: the weight of the longest wrong run (comparison.py). If those words
    are unknown, the verdict is "ok"."""

    text: str
    verdict: Verdict
    distance: float


TO_RECOGNISER = msgpack.Decoder(Listen)
TO_SERVER = msgpack.Decoder(Heard)
