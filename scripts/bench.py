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

Each command takes --json FILE and --plot FILE.png. Progress goes to stderr, figures go to stdout.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from glm_tts_api.engine.child import ENVIRONMENT

os.environ.update({**ENVIRONMENT, **os.environ})  # as in the service; OpenMP reads it when torch is imported

import torch

from bench.machine import describe

DTYPES = ("fp32", "bf16", "int8")


def _schedule(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    common.add_argument("--plot", type=Path, metavar="FILE.png", help="draw them (needs matplotlib)")
    common.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    kinds = parser.add_subparsers(dest="kind", required=True)
    decode = kinds.add_parser("decode", parents=[common])
    decode.add_argument("--size", choices=("mini", "small", "official"), default="small")
    decode.add_argument("--dtype", choices=("auto", "fp32", "bf16", "int8"), default="auto", help="as DTYPE")
    flow = kinds.add_parser("flow", parents=[common])
    flow.add_argument("--steps", type=int, default=10)
    official = kinds.add_parser("official", parents=[common])
    official.add_argument("--dtype", choices=DTYPES, nargs="+", default=DTYPES, help="as DTYPE")
    official.add_argument("--size", choices=("tiny", "small", "official"), default="official")
    official.add_argument("--checkpoint", type=Path, metavar="DIR", help="keep the weights there (9 GB)")
    start = kinds.add_parser("start", parents=[common])
    start.add_argument("--runs", type=int, default=5)
    kinds.add_parser("text", parents=[common])
    kinds.add_parser("fair", parents=[common])
    work = kinds.add_parser("work", parents=[common])
    work.add_argument("--chunks", type=_schedule, nargs="+", default=[], help="others than STREAM_CHUNKS")
    serve = kinds.add_parser("serve", parents=[common])
    serve.add_argument("--requests", type=int, default=32, help="per concurrency level")
    serve.add_argument("--concurrency", type=int, nargs="+", help="1 4 8 16, or of streams 1 2 4 8")
    serve.add_argument("--texts", type=Path, metavar="FILE", help="one text a line, instead of the fixed mix")
    serve.add_argument("--stream", action="store_true", help="first audio and underruns of streamed answers")
    return parser.parse_args()


def _run(args: argparse.Namespace) -> dict[str, Any]:
    if args.kind == "serve":
        from bench import serve

        if args.stream:
            return serve.run_streams(n_requests=args.requests, levels=args.concurrency or [1, 2, 4, 8])
        return serve.run(
            n_requests=args.requests, levels=args.concurrency or [1, 4, 8, 16], texts_file=args.texts
        )
    if args.kind == "official":
        from bench import official

        return official.run(dtypes=args.dtype, checkpoint=args.checkpoint, size=args.size)
    if args.kind == "start":
        from bench import start

        return start.run(n_runs=args.runs)
    if args.kind == "text":
        from bench import text

        return text.run()
    if args.kind == "fair":
        from bench import fair

        return fair.run()
    if args.kind == "work":
        from bench import stream_work

        return stream_work.run(schedules=args.chunks)
    device = torch.device(args.device)
    if args.kind == "flow":
        from bench import flow

        return flow.run(device=device, steps=args.steps)
    from bench import decode

    return decode.run(size=args.size, device=device, dtype=args.dtype)


def _require(module: str, extra: str) -> None:
    """Ends the program with exit code 2 if `module`, a package of the pip extra `extra`, is not installed."""
    if find_spec(module) is None:
        print(f"{module} is missing, which this needs: pip install '.[{extra}]'", file=sys.stderr)
        raise SystemExit(2)


def _end_in_order() -> None:
    """Turns SIGINT, SIGTERM and SIGHUP into SystemExit, so that the program ends its server first."""

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)


def main() -> None:
    args = _arguments()
    if args.plot:
        _require("matplotlib", "mini")
    _end_in_order()
    machine = describe(args.device)
    print(machine, flush=True)
    result = {"machine": machine, **_run(args)}
    if args.json:
        args.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if args.plot:
        from bench.plot import draw

        draw(args.kind, result, args.plot)


if __name__ == "__main__":
    main()
