"""The arguments of every program of this folder: its docstring is its help, one folder holds all states."""

import argparse
from pathlib import Path
from typing import Any

import torch


class Program(argparse.ArgumentParser):
    """The arguments of a program, which runs on one thread. `args.folder` is the folder of the states."""

    def __init__(self, description: str | None) -> None:
        super().__init__(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
        self.add_argument("--folder", type=Path, default=Path(".mini"))

    def parse_args(self, *arguments: Any) -> Any:  # type: ignore[override]
        torch.set_num_threads(1)
        return super().parse_args(*arguments)
