"""How a command ends that did not do what it was told."""

from __future__ import annotations


class Failed(Exception):
    """A line for the person at the command line; exit code 1."""


class Misused(Failed):
    """The arguments do not go together, or name what is not there; exit code 2."""
