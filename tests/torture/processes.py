"""Processes of a trial: forks of one that has the console loaded. Each gets ready, waits for a word, and then acts."""

import os
import pickle
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

Steps = Generator[None, None, Any]
LONGEST_SECONDS = 900


class Fork:
    """A process that does the work up to its first `yield`, waits for `go`, and does the rest."""

    def __init__(self, work: Callable[[], Steps], *, log: Path) -> None:
        descriptor, name = tempfile.mkstemp(prefix="torture-answer-")
        os.close(descriptor)
        self._answer = Path(name)
        ready, self._tell_ready = os.pipe()
        self._wait, go = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(ready)
            os.close(go)
            self._be(work, log)
        os.close(self._tell_ready)
        os.close(self._wait)
        self._ready, self._go = ready, go

    def until_ready(self) -> None:
        """Return when the process waits for `go`, or has ended."""
        os.read(self._ready, 1)

    def go(self) -> None:
        """Let the process act."""
        # Who has ended already says why in its answer.
        with suppress(BrokenPipeError):
            os.write(self._go, b"g")

    def strike(self) -> None:
        """Kill the process."""
        os.kill(self.pid, signal.SIGKILL)

    def end(self) -> tuple[int, Any]:
        """Wait for the end; return the exit status, or minus the signal, and what the work returned or raised."""
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self._ready)
        os.close(self._go)
        try:
            written = self._answer.read_bytes()
            return status, pickle.loads(written) if written else None
        finally:
            self._answer.unlink()

    def _be(self, work: Callable[[], Steps], log: Path) -> None:
        signal.alarm(LONGEST_SECONDS)
        log.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        try:
            answer = self._work(work)
        except BaseException:
            answer = Crashed(traceback.format_exc())
        partial = self._answer.with_suffix(".partial")
        partial.write_bytes(pickle.dumps(answer))
        partial.rename(self._answer)
        os._exit(0)

    def _work(self, work: Callable[[], Steps]) -> Any:
        steps = work()
        try:
            next(steps)
            os.write(self._tell_ready, b"r")
            os.read(self._wait, 1)
            next(steps)
        except StopIteration as done:
            return done.value
        raise RuntimeError("The work yields once, when it is ready.")


class Crashed(str):
    """The traceback of a process that ended by an error which nobody is to see."""


def run(work: Callable[[], Any], *, log: Path) -> Any:
    """Do the work in a process of its own, and return what it returns; raises what it could not do as RuntimeError."""

    def steps() -> Steps:
        yield
        return work()

    fork = Fork(steps, log=log)
    fork.go()
    status, answer = fork.end()
    if status or isinstance(answer, Crashed):
        raise RuntimeError(f"A process of the torture itself ended with {status}: {answer}")
    return answer


def measured(fork: Fork) -> tuple[float, Any]:
    """Let a process act; return how many seconds that took, and its answer."""
    fork.until_ready()
    started = time.monotonic()
    fork.go()
    _status, answer = fork.end()
    return time.monotonic() - started, answer
