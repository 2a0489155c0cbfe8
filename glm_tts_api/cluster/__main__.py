"""`python -m glm_tts_api.cluster`: deploys the server to the Ray cluster that this machine belongs to. An
existing deployment is replaced replica by replica. Called by scripts/start_cluster.sh.

Exit codes: 0 if MIN_REPLICAS replicas can speak, 1 if they cannot, 2 if a setting is invalid.
"""

from __future__ import annotations

import sys

import ray
from ray import serve

from glm_tts_api.cluster.replica import APP_NAME, deployment
from glm_tts_api.errors import StartupError
from glm_tts_api.settings import Settings


def main() -> int:
    try:
        settings = Settings.load(warns=True)
    except StartupError as error:
        print(error, file=sys.stderr)
        return 2
    ray.init(address="auto", log_to_driver=False)
    serve.start(http_options={"host": settings.api_host, "port": settings.port})
    try:
        serve.run(deployment(settings).bind(), name=APP_NAME)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
