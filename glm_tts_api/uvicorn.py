"""uvicorn, with a parent process that still listens while it waits for its workers.

Run as `python -m glm_tts_api.uvicorn`; so named that `ps aux | grep uvicorn` finds it.
"""

from __future__ import annotations

import importlib
import os
import signal

from uvicorn.supervisors import Multiprocess


class Supervisor(Multiprocess):
    """Ends its workers at once on SIGQUIT, or on SIGINT again: uvicorn's own would hear neither by then.

    Sees at once that a worker has died.
    """

    n_interrupts = 0

    def keep_subprocess_alive(self) -> None:
        for worker in self.processes:
            worker.child_conn.close()  # so that a worker that dies ends its pipe, and its parent's wait on it
        super().keep_subprocess_alive()

    def join_all(self) -> None:
        for worker in self.processes:
            while worker.process.is_alive():
                heard, self.signal_queue[:] = list(self.signal_queue), []
                for number in heard:
                    if number == signal.SIGINT:
                        self.handle_int()
                    elif number == signal.SIGQUIT:
                        self.handle_quit()
                worker.process.join(0.2)
        super().join_all()

    def handle_int(self) -> None:
        self.n_interrupts += 1
        if self.n_interrupts > 1:
            self.handle_quit()
        self.should_exit.set()

    def handle_quit(self) -> None:
        self.should_exit.set()
        for worker in self.processes:
            if worker.process.is_alive() and worker.pid is not None:
                os.kill(worker.pid, signal.SIGQUIT)


if __name__ == "__main__":
    uvicorn = importlib.import_module("uvicorn.main")
    uvicorn.Multiprocess = Supervisor  # type: ignore[attr-defined]
    uvicorn.main()
