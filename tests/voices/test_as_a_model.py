"""Any order of changes, by the API and by hand, through two servers: the store is what a plain dict says."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from glm_tts_api.errors import Forbidden, RecordingMissing, ServiceError, UnknownVoice, VoiceExists
from tests.recordings import voice_wav
from tests.voices.shelf import index_of, make_configs, open_store, write_index

RECORDINGS = [voice_wav(1.0 + step / 10) for step in range(3)]
INDEXES = st.sampled_from(["exampleA", "one", "two"])
TEXTS = st.sampled_from(["a", "b"])
DATA = st.sampled_from(range(3))  # numbers of RECORDINGS
Known = tuple[str, int | None]
SERVERS = st.sampled_from([0, 1])


class Shelf(RuleBasedStateMachine):
    """`own`: index -> (transcript, number of the recording, None where it was deleted by hand)."""

    @initialize()
    def open(self) -> None:
        self.root = Path(tempfile.mkdtemp())
        self.configs, self.folder = make_configs(self.root), self.root / "data" / "prompts"
        self.stores = [open_store(self.configs, self.folder) for _ in range(2)]
        (self.configs / "prompts" / "a.wav").write_bytes(RECORDINGS[0])
        self.shipped: dict[str, Known] = {"exampleA": ("text a", 0)}
        self.own: dict[str, Known] = {}
        self.users: dict[Path, int] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.root)

    def current(self, index: str) -> Known | None:
        return self.own.get(index) or self.shipped.get(index)

    @rule(server=SERVERS, index=INDEXES, text=TEXTS, data=DATA)
    def add(self, server: int, index: str, text: str, data: int) -> None:
        if self.current(index) is not None:
            with pytest.raises(VoiceExists):
                self.stores[server].add(index, text, RECORDINGS[data])
        else:
            self.stores[server].add(index, text, RECORDINGS[data])
            self.own[index] = (text, data)

    @rule(server=SERVERS, index=INDEXES, text=st.none() | TEXTS, data=st.none() | DATA)
    def replace(self, server: int, index: str, text: str | None, data: int | None) -> None:
        known = self.current(index)
        if known is None or (data is None and known[1] is None):
            with pytest.raises(UnknownVoice if known is None else RecordingMissing):
                self.stores[server].replace(index, text, None if data is None else RECORDINGS[data])
        else:
            self.stores[server].replace(index, text, None if data is None else RECORDINGS[data])
            self.own[index] = (text or known[0], known[1] if data is None else data)

    @rule(server=SERVERS, index=INDEXES)
    def remove(self, server: int, index: str) -> None:
        if index in self.own:
            self.stores[server].remove(index)
            del self.own[index]
        else:
            with pytest.raises(Forbidden if index in self.shipped else UnknownVoice):
                self.stores[server].remove(index)

    @precondition(lambda self: self.own)
    @rule(data=st.data())
    def delete_a_recording_by_hand(self, data: st.DataObject) -> None:
        index = data.draw(st.sampled_from(sorted(self.own)))
        path = self.folder / index_of(self.folder)[index]["prompt_audio_path"]
        if path not in self.users:
            path.unlink(missing_ok=True)
            self.own[index] = (self.own[index][0], None)

    @precondition(lambda self: self.own and "two" not in self.own)
    @rule(data=DATA)
    def write_an_entry_by_hand(self, data: int) -> None:
        path = self.folder / "recordings" / f"by hand {len(self.users)}.wav"
        path.write_bytes(RECORDINGS[data])
        self.users[path] = data
        entry = {"prompt_audio_path": f"recordings/{path.name}", "prompt_text": "by hand"}
        write_index(self.folder, {**index_of(self.folder), "two": entry})
        self.own["two"] = ("by hand", data)

    @invariant()
    def every_server_tells_the_same(self) -> None:
        for store in self.stores:
            for index in ("exampleA", "one", "two"):
                known = self.current(index)
                try:
                    found = (store.info(index).transcript, RECORDINGS.index(store.audio(index)[0]))
                except RecordingMissing:
                    assert known is not None
                    assert known[1] is None
                except ServiceError:
                    assert known is None
                else:
                    assert found == known
            whole = {*self.shipped, *self.own} - {
                index for index, (_, data) in self.own.items() if data is None
            }
            assert {voice.index for voice in store.list_voices()} == whole

    @invariant()
    def nothing_of_the_user_is_lost_and_nothing_of_ours_is_left(self) -> None:
        for path, data in self.users.items():
            assert path.read_bytes() == RECORDINGS[data]
        there = set(self.folder.rglob("*.wav*")) - set(self.users)
        assert len(there) <= len(self.own)


TestShelf = Shelf.TestCase
TestShelf.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
