"""RESTART_MODE=rolling with answers that are cut. test_rolling_restart.py has the rest.

Each test begins with the server that the one before left running.
"""

from __future__ import annotations

import http.client
from pathlib import Path

import pytest

from tests.scripts.own_project import REPOSITORY, Project, end_of, kill, wait_until
from tests.scripts.rolling import Stream, assert_alone


@pytest.fixture(scope="module")
def model() -> Path:
    """The bundled model: its sentences take some seconds to say."""
    return REPOSITORY / "glm_tts_api/assets/mini"


# Where LONG_TEXT_TIMEOUT, which ends the old server, does not end the answer by itself.
IN_THE_SHORT_LANE = {"TEXT_LENGTH_THRESHOLD": "5000", "MEDIUM_TEXT_TIMEOUT": "600"}


def test_an_answer_that_outlasts_its_time_is_cut_and_the_script_says_so(
    shared_project: Project,
) -> None:
    project = shared_project
    project.start(LONG_TEXT_TIMEOUT="1", **IN_THE_SHORT_LANE)
    stream = Stream(project)
    outcome = project.run("restart_api.sh", RESTART_MODE="rolling")
    assert outcome.code == 1, outcome.said
    assert "of its answers ended, 1 were cut: they took longer than LONG_TEXT_TIMEOUT" in outcome.said
    assert "goes on" not in outcome.said
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        stream.rest()
    assert_alone(project, project.pid)


def test_an_old_server_that_is_killed_meanwhile_has_cut_its_answers(shared_project: Project) -> None:
    project = shared_project
    old = project.start()
    stream = Stream(project)
    restart = project.begin("restart_api.sh", RESTART_MODE="rolling")
    wait_until(lambda: project.pid != old, "the new server to have the port")
    wait_until(
        lambda: "role leaves" in (project.root / f"run/server-{old}/record").read_text(), "the other's end"
    )
    kill(old)
    outcome = end_of(restart)
    assert outcome.code == 1, outcome.said
    assert "0 of its answers ended, 1 were cut" in outcome.said
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        stream.rest()
    assert_alone(project, project.pid)
