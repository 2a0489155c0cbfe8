"""A clone is upgraded while its server runs, from an earlier commit to this one: no request is lost."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scripts.own_project import REPOSITORY, Project, end_of, is_alive, wait_until
from tests.scripts.rolling import N_SENTENCES, Stream, asking

OLD = "c9c78c3b"


def git(*command: str | Path, at: Path = REPOSITORY) -> str:
    done = subprocess.run(["git", *command], cwd=at, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Project]:
    """A clone at the old commit. Its .venv is its own, and finds the packages of the running environment."""
    if OLD not in git("log", "--format=%h", "--abbrev=8"):
        warnings.warn(f"Commit {OLD} is not in this clone: no upgrade is tested.", stacklevel=1)
        pytest.skip(f"needs commit {OLD}: git fetch --unshallow")
    root, links = tmp_path / "clone", tmp_path / "links"
    git("clone", "--quiet", "--shared", "--no-checkout", REPOSITORY, root)
    git("checkout", "--quiet", OLD, at=root)
    subprocess.run([sys.executable, "-m", "venv", root / ".venv"], check=True)
    (packages,) = root.glob(".venv/lib/python3*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    links.mkdir()
    project = Project(links, root / "glm_tts_api/assets/mini").at(root)
    yield project
    project.kill_all()


def test_no_request_is_lost_on_the_way_from_an_earlier_version(clone: Project) -> None:
    """`git pull`, then restart_api.sh with RESTART_MODE=rolling, which installs anew. A stream goes on
    meanwhile, and so do requests."""
    old = clone.start(STREAM_STALL_S="600")
    with asking(clone) as clients:
        stream = Stream(clone)
        git("checkout", "--quiet", git("rev-parse", "HEAD"), at=clone.root)
        restart = clone.begin("restart_api.sh", RESTART_MODE="rolling")
        wait_until(lambda: clone.pid != old or restart.poll() is not None, "the new server to have the port")
        assert clone.pid != old, end_of(restart).said
        n_before = clients.n_answers
        wait_until(lambda: clients.n_answers > n_before + 8, "answers of the new server")
        pcm = stream.rest()
        outcome = end_of(restart)
    assert outcome.code == 0, outcome.said
    assert clients.failures == []
    assert len(pcm) > N_SENTENCES * 4 * 32000
    assert not is_alive(old)
    assert (clone.root / "speech_text").is_dir()
    assert clone.speak().status == 200
