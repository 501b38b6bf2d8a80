"""Where tasks are done: on this machine, several at once, or on a Dask cluster."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Protocol

from streamflow.cli.children import CHILDREN, Listener
from streamflow.cli.outcome import Outcome
from streamflow.cli.task import Task
from streamflow.compiling import cores
from streamflow.errors import UsageError

RETRIES = 3  # of a task whose worker died
CONNECT = 20  # seconds


class Workers(Protocol):
    """Takes tasks and does them, some day."""

    def submit(self, task: Task, listener: Listener) -> Future[Outcome]:
        """Have a task done; `listener` hears how far it is, where that can be told."""

    def stop(self, batch: str, number: int) -> None:
        """Send a signal to whoever does a task of this batch."""

    def close(self) -> None:
        """Let go of what is not needed any more."""


class Here:
    """Processes on this machine, `jobs` at once, which share its cores."""

    def __init__(self, jobs: int) -> None:
        self._executor = ThreadPoolExecutor(jobs)
        self._threads = max(1, cores() // jobs)

    def submit(self, task: Task, listener: Listener) -> Future[Outcome]:
        """Begin a task as soon as one of the others ends."""
        return self._executor.submit(CHILDREN.run, replace(task, threads=self._threads), listener)

    def stop(self, batch: str, number: int) -> None:
        """Send a signal to the processes."""
        CHILDREN.stop(batch, number)

    def close(self) -> None:
        """End the threads; the processes have ended."""
        self._executor.shutdown(cancel_futures=True)


class OnCluster:
    """The workers of a Dask cluster; what one began before it died another does again.

    They see the same files under the same names.
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise UsageError("`scheduler` needs Dask: pip install 'streamflow[cluster]'") from None
        try:
            self._client = Client(address, timeout=CONNECT)
        except (OSError, ValueError, TimeoutError) as error:
            raise UsageError(f"`scheduler` {address}: no Dask scheduler answers there") from error
        self._executor = self._client.get_executor(pure=False, retries=RETRIES)

    def submit(self, task: Task, listener: Listener) -> Future[Outcome]:
        """Have any worker do a task."""
        future: Future[Outcome] = self._executor.submit(on_worker, task)
        return future

    def stop(self, batch: str, number: int) -> None:
        """Send a signal to the processes that the workers have begun."""
        self._client.run(stop_on_worker, batch, number)

    def close(self) -> None:
        """Leave the cluster as it was."""
        self._executor.shutdown(wait=False)
        self._client.close()


def on_worker(task: Task) -> Outcome:
    """Do a task on a worker, with its share of the machine's cores."""
    from distributed import get_worker

    return CHILDREN.run(replace(task, threads=max(1, cores() // get_worker().state.nthreads)))


def stop_on_worker(batch: str, number: int) -> None:
    """Send a signal to the processes of this worker."""
    CHILDREN.stop(batch, number)
