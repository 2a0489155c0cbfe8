"""`glm-tts voices`: voices of a server, and their way from one server to another."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

from glm_tts_api.settings import BUNDLED_MODEL
from tests.api.running import Running
from tests.recordings import voice_wav
from tests.settings.asking import Done, run

LIST = "prompt_cache.json"
BUNDLED = BUNDLED_MODEL / "prompts" / "exampleA.wav"


def voices(root: Path, server: Running, *arguments: str) -> Done:
    return run(root, "voices", *arguments, "--url", server.url)


def names(server: Running) -> set[str]:
    with server.client() as client:
        return {each["index"] for each in client.get("/api/v1/prompts").json()["prompts"]}


def test_added_listed_and_removed(server: Running, tmp_path: Path) -> None:
    """A transcript is listed on one line, and sends the terminal nothing."""
    (tmp_path / "me.wav").write_bytes(voice_wav(2.0))
    done = voices(tmp_path, server, "add", "我的音色", "me.wav", "--text", "one\ntwo\x1b[2J three")
    assert (done.returncode, done.stdout) == (0, "Voice '我的音色' is registered.\n")
    done = voices(tmp_path, server, "add", "我的音色", "me.wav", "--text", "我说的话。")
    assert (done.returncode, done.stdout) == (1, "")
    assert "glm-tts voices remove NAME, then add it again" in done.stderr
    assert voices(tmp_path, server, "list").stdout.splitlines() == [
        "NAME      SOURCE   TRANSCRIPT",
        "exampleA  shipped  text of exampleA",
        "exampleB  shipped  text of exampleB",
        "我的音色  own      one\\ntwo\\x1b[2J three",
    ]
    done = voices(tmp_path, server, "remove", "我的音色")
    assert (done.returncode, done.stdout) == (0, "Voice '我的音色' is deleted.\n")
    assert names(server) == {"exampleA", "exampleB"}


def test_what_the_server_refuses_is_said_in_a_line(server: Running, tmp_path: Path) -> None:
    (tmp_path / "me.wav").write_bytes(b"no sound")
    for arguments, said in (
        (("add", "me", "me.wav", "--text", "x"), "not an audio file"),
        (("remove", "nobody"), "There is no voice 'nobody'"),
        (("export", "v.zip", "nobody"), "There is no voice 'nobody'; there are exampleA and exampleB."),
    ):
        done = voices(tmp_path, server, *arguments)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert said in done.stderr


def test_voices_move_to_another_server(serve: Callable[..., Running], tmp_path: Path) -> None:
    here, there = serve(), serve()
    (tmp_path / "me.wav").write_bytes(BUNDLED.read_bytes())
    said, agreed = "大家好，我是播音员，很高兴和大家见面。", "我同意用我的声音。"
    notes = ("--consent", agreed, "--gender", "female")
    for name in ("我的音色", "我的音色:高兴"):
        added = voices(tmp_path, here, "add", name, "me.wav", "--text", said, *notes)
        assert (added.returncode, added.stderr) == (0, "")
    listed = voices(tmp_path, here, "list", "--gender", "female").stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["NAME", "我的音色", "我的音色:高兴"]
    assert voices(tmp_path, here, "export", "v.zip").stdout.startswith("3 voices are in v.zip: ")
    done = voices(tmp_path, there, "import", "v.zip")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "Voice 'exampleA' is there already.",
        "Voice 'exampleB' is there already.",
        "Voice '我的音色' is registered.",
        "Voice '我的音色:高兴' is registered.",
    ]
    with here.client() as one, there.client() as other:
        assert other.get("/api/v1/prompts").content == one.get("/api/v1/prompts").content


def test_another_voice_of_the_same_name_is_left_alone_and_an_export_unpacks_into_configs(
    serve: Callable[..., Running], tmp_path: Path
) -> None:
    server = serve()
    entry = {"prompt_audio_path": "a.wav", "prompt_text": "another text"}
    write(tmp_path / "v.zip", {"exampleA": entry, "new": entry})
    done = voices(tmp_path, server, "import", "v.zip")
    assert (done.returncode, done.stdout) == (1, "Voice 'new' is registered.\n")
    assert done.stderr.splitlines()[0].startswith("Another voice 'exampleA' is there: ")
    assert voices(tmp_path, server, "export", "one.zip", "new").stdout == "1 voice is in one.zip: new\n"

    def prepare(root: Path) -> None:
        with ZipFile(tmp_path / "one.zip") as archive:
            archive.extractall(root / "configs")

    assert names(serve(prepare=prepare)) == {"new"}


def write(file: Path, listed: object) -> None:
    with ZipFile(file, "w") as archive:
        archive.writestr(LIST, json.dumps(listed))
        archive.writestr("a.wav", voice_wav(2.0))
