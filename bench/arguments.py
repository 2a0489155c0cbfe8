"""The arguments and the progress of every program of this folder: its docstring is its help."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from tqdm import tqdm

progress = partial(tqdm, mininterval=0.1 if sys.stderr.isatty() else 10)


class Arguments(argparse.ArgumentParser):
    def __init__(self, description: str | None) -> None:
        super().__init__(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
