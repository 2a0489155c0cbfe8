"""One engine and no HTTP, in a process that tests may stop and kill: `python -m tests.engine.little_server
FOLDER WATCHDOG_S`.

Speaks each line that it is given; says in JSON, a line each, the `pid` of the engine's process once it is
ready, what it `begins` to hear, and of a text that has ended how many samples it had (`heard`) or the
`error`, with the number of `exits` by the watchdog.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from glm_tts_api.contracts import Timings
from glm_tts_api.engine.child import EngineDied
from glm_tts_api.engine.client import EngineClient
from tests.engine import tiny
from tests.engine.processes import until
from tests.engine.tiny_process import tiny_client


def tell(**what: object) -> None:
    print(json.dumps(what), flush=True)


async def speak(client: EngineClient, text: str) -> None:
    stream = client.synthesize(tiny.asked(text), Timings())
    n_heard = 0
    try:
        async for chunk in stream:
            if not n_heard:
                tell(begins=text)
            n_heard += len(chunk.pcm)
    except EngineDied as died:
        tell(error=str(died), exits=client.n_watchdog_exits)
    else:
        tell(heard=n_heard, exits=client.n_watchdog_exits)


async def serve(folder: Path, watchdog_s: float) -> None:
    client = tiny_client(folder, watchdog_s=watchdog_s)
    client.start()
    await until(lambda: client.state.status == "ready")
    tell(pid=client.pid)
    speaking = set()
    while line := await asyncio.to_thread(sys.stdin.readline):
        speaking.add(asyncio.create_task(speak(client, line.strip())))
    await client.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), float(sys.argv[2])))
