"""The voices of a turn in the WebSocket (the text up to the message `flush`). A voice that a mark names, such
as [[voice ann]], speaks until the end of the turn."""

from __future__ import annotations

from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.voice_names import named_voices
from glm_tts_api.contracts import MOOD_SIGN, Voice, in_mood
from speech_text.markup.marks import voices_in


class TurnVoices:
    """Keeps the voice that marks in the turn, such as [[voice ann]], have named last. Each turn begins with
    the voice of the message `start`."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self.clear()

    def clear(self) -> None:
        self._voice: Voice | None = None  # the voice that a mark has named
        self._mood: Voice | None = None  # the same voice, or that of `start`, in a mood

    def take(self, sentence: str, start: Voice) -> tuple[str, Voice, dict[str, Voice]]:
        """Returns the sentence, the voice that speaks it, and the voices that its marks name, by their names.
        `start` is the voice of the message `start`. If an earlier mark has set a mood, a sentence with marks
        gets a mark for this mood at its beginning, because its own marks start from the voice without a mood.
        Blocking. Raises UnknownVoice."""
        own, names = self._voice or start, voices_in(sentence)
        if not names:
            return sentence, self._mood or own, {}
        if self._mood is not None:
            mood = in_mood("", str(self._mood.name).partition(MOOD_SIGN)[2])
            sentence, names = f"[[voice {mood}]]{sentence}", [mood, *names]
        last = names[-1]
        voice = in_mood(last, "")
        others = named_voices([*names, voice], self._state, own)
        if voice != MOOD_SIGN or not last:
            self._voice = others.get(voice)
        self._mood = others.get(last) if MOOD_SIGN in last else None
        return sentence, own, others
