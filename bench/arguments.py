"""The arguments of a program of this folder, whose docstring is its help."""

from __future__ import annotations

import argparse


class Arguments(argparse.ArgumentParser):
    def __init__(self, description: str | None) -> None:
        super().__init__(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
