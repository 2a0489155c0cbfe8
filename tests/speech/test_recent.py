"""Which of the last answers stay."""

from __future__ import annotations

from glm_tts_api.speech.recent import RecentAnswer, RecentAnswers


def answer(request_id: str) -> RecentAnswer:
    return RecentAnswer(request_id, "me", request_id, "pcm", pcm=bytes(40))


def test_an_answer_whose_parts_are_asked_for_stays() -> None:
    recent = RecentAnswers(100)
    for request_id in ("first", "second"):
        recent.add(answer(request_id))
    assert recent.at("first", "me") is not None
    recent.add(answer("third"))
    assert [recent.at(each, "me") is not None for each in ("first", "second", "third")] == [True, False, True]
