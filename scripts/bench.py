"""Measures speed, as ratios to a baseline of the same run. docs/performance.md explains the figures.

    python scripts/bench.py decode [--size mini|small|official]   the LLM's decode step, 1 to 16 rows
    python scripts/bench.py flow                                  the flow at official sizes, 1 to 8 segments
    python scripts/bench.py serve [--requests N] [--texts FILE]   the whole server under load
    python scripts/bench.py serve --stream [--requests N]         first audio of streams, and underruns
    python scripts/bench.py fair                                  one client's request beside another's flood
    python scripts/bench.py work [--chunks N,N,N ...]             a stream's CPU time against a whole answer's
    python scripts/bench.py official [--dtype D ...]              a server of official size, weights by rule
    python scripts/bench.py start [--runs N]                      from the server's start until it is ready
    python scripts/bench.py text                                  a text from its characters to its segments

Each command takes --json FILE. Progress goes to stderr, figures go to stdout.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from glm_tts_api.engine.child import ENVIRONMENT

os.environ.update({**ENVIRONMENT, **os.environ})  # as in the service; OpenMP reads it when torch is imported

import torch

from bench.arguments import Arguments
from bench.machine import describe

DTYPES = ("fp32", "bf16", "int8")


def _schedule(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


def _arguments() -> argparse.Namespace:
    parser = Arguments(__doc__)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    common.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    kinds = parser.add_subparsers(dest="kind", required=True, parser_class=argparse.ArgumentParser)

    def kind(name: str, module: str | None = None) -> argparse.ArgumentParser:
        made = kinds.add_parser(name, parents=[common])
        made.set_defaults(module=f"bench.{module or name}")
        return made

    decode = kind("decode")
    decode.add_argument("--size", choices=("mini", "small", "official"), default="small")
    decode.add_argument("--dtype", choices=("auto", *DTYPES, "fp8"), default="auto", help="as DTYPE")
    kind("flow").add_argument("--steps", type=int, default=10)
    official = kind("official")
    official.add_argument("--dtype", choices=DTYPES, nargs="+", default=DTYPES, help="as DTYPE")
    official.add_argument("--size", choices=("tiny", "official"), default="official")
    official.add_argument("--checkpoint", type=Path, metavar="DIR", help="keep the weights there (9 GB)")
    kind("start").add_argument("--runs", type=int, default=5)
    kind("text")
    kind("fair")
    work = kind("work", "streaming")
    work.add_argument("--chunks", type=_schedule, nargs="+", default=[], help="others than the server has")
    serve = kind("serve")
    serve.add_argument("--requests", type=int, default=32, help="per concurrency level")
    serve.add_argument("--concurrency", type=int, nargs="+", help="1 4 8 16, or of streams 1 2 4 8")
    serve.add_argument("--texts", type=Path, metavar="FILE", help="one text a line, instead of the fixed mix")
    serve.add_argument("--stream", action="store_true", help="first audio and underruns of streamed answers")
    return parser.parse_args()


def _end_in_order() -> None:
    """Turns SIGINT, SIGTERM and SIGHUP into SystemExit, so that the program ends its server first."""

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)


def main() -> None:
    args = _arguments()
    _end_in_order()
    machine = describe(args.device)
    print(machine, flush=True)
    result = {"machine": machine, **import_module(args.module).run(args)}
    if args.json:
        args.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
