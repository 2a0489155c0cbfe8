"""The errors with which a command ends."""

from __future__ import annotations


class Failed(Exception):
    """An error whose message is shown to the user. The command ends with exit code 1."""


class Misused(Failed):
    """The command's arguments do not fit together, or name something that does not exist. Exit code 2."""
