"""The entry point of scripts/download_model.sh."""

from __future__ import annotations

import argparse
import sys

from glm_tts_api.download import command

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="bash scripts/download_model.sh",
        description=command.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_arguments(parser)
    sys.exit(command.run(parser.parse_args()))
