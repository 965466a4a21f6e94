"""The sending pods of a Job: how it ended, and what each of them told in its log."""

import asyncio
from datetime import datetime

from cynosure.errors import CynosureError, NotFound, Unavailable
from cynosure.kube.labels import labels_of
from cynosure.kube.owners import is_owned_by
from cynosure.kube.port import PODS, Body, KubeApi
from cynosure.reconcile.replays.results import Side, Worker
from loadgen.errors import BadLoadInput
from loadgen.travel import from_log

PATIENCE_SECONDS = 120.0
"""A node that does not give a log away for so long after the end of the Job has lost it."""
STOP_SECONDS = 15.0
"""What is told later, after a replay was cancelled, is lost: a worker that is told to stop ends within a second."""
_ATTACH_SECONDS = 0.5
"""Logs are listened to before the pods are told to stop: afterwards they are gone with them."""
_INDEX = "batch.kubernetes.io/job-completion-index"


def end_of(job: Body) -> tuple[datetime, str] | None:
    """When the Job ended, and why if it failed; None while it runs."""
    for condition in (job.get("status") or {}).get("conditions") or ():
        if condition.get("status") == "True" and condition.get("type") in ("Complete", "Failed"):
            ended = datetime.fromisoformat(condition["lastTransitionTime"])
            failed = condition["type"] == "Failed"
            return ended, f"{condition.get('reason', '')}: {condition.get('message', '')}" if failed else ""
    return None


async def told(kube: KubeApi, job: Body, target: str, workers: int, now_seconds: float) -> Side:
    """After the end of the Job. Raises ``Unavailable`` while it is worth waiting for a log."""
    ended = end_of(job)
    waited = now_seconds - ended[0].timestamp() if ended else 0.0
    pods = await _pods(kube, job)
    why = ended[1] if ended else ""
    found = [await _worker(kube, pods.get(n), n, why, patient=waited < PATIENCE_SECONDS) for n in range(workers)]
    return Side(target, tuple(found))


class Listening:
    """To the logs of a Job's pods while they end; ``side`` is what they told by then."""

    def __init__(self, kube: KubeApi, job: Body, target: str, workers: int) -> None:
        self._kube, self._job, self._target, self._workers = kube, job, target, workers
        self._logs: dict[int, asyncio.Future[str]] = {}
        self._pods: dict[int, Body] = {}

    async def attach(self) -> None:
        self._pods = await _pods(self._kube, self._job)
        for number, pod in self._pods.items():
            metadata = pod["metadata"]
            log = self._kube.log(metadata["name"], metadata["namespace"], follow=True)
            self._logs[number] = asyncio.ensure_future(log)
        if self._logs:
            await asyncio.wait(self._logs.values(), timeout=_ATTACH_SECONDS)

    async def side(self) -> Side:
        if self._logs:
            await asyncio.wait(self._logs.values(), timeout=STOP_SECONDS)
            self.close()
            await asyncio.gather(*self._logs.values(), return_exceptions=True)
        return Side(self._target, tuple([await self._worker(number) for number in range(self._workers)]))

    def close(self) -> None:
        """Listen no longer, also where the pods could not be told to end."""
        for log in self._logs.values():
            log.cancel()

    async def _worker(self, number: int) -> Worker:
        log = self._logs.get(number)
        name = _name(self._pods.get(number), number)
        if log is None:
            return Worker(name, lack="had no pod yet")
        if log.cancelled():
            return Worker(name, lack=f"told nothing within {STOP_SECONDS:g} s after it was stopped")
        if error := log.exception():
            return Worker(name, lack=str(error))
        return await _read(name, log.result(), self._pods[number])


async def _pods(kube: KubeApi, job: Body) -> dict[int, Body]:
    """By completion index, of this very Job and not of an earlier one of its name."""
    metadata = job["metadata"]
    selector = f"batch.kubernetes.io/job-name={metadata['name']}"
    found = (await kube.list(PODS, namespace=metadata["namespace"], label_selector=selector)).items
    ours = [pod for pod in found if is_owned_by(pod, metadata["uid"])]
    return {int(labels_of(pod).get(_INDEX, "0")): pod for pod in ours}


async def _worker(kube: KubeApi, pod: Body | None, number: int, why: str, *, patient: bool) -> Worker:
    name = _name(pod, number)
    if pod is None:
        return Worker(name, lack=f"its pod is gone, and its log with it{_because(why)}")
    try:
        log = await kube.log(name, pod["metadata"]["namespace"])
    except Unavailable as error:
        if patient:
            raise
        return Worker(name, lack=f"its log cannot be read: {error}{_because(_fate(pod))}")
    except CynosureError as error:
        gone = isinstance(error, NotFound)
        return Worker(name, lack=f"{'its pod is gone' if gone else error}{_because(_fate(pod) or why)}")
    return await _read(name, log, pod)


async def _read(name: str, log: str, pod: Body) -> Worker:
    try:
        return Worker(name, await asyncio.to_thread(from_log, log, name))
    except BadLoadInput as error:
        said = _last_words(log)
        return Worker(name, lack=f"{str(error).removeprefix(f'{name}: ')}{_because(_fate(pod) or said)}")


def _fate(pod: Body) -> str:
    """Why the pod failed, in the words of the cluster: evicted, out of memory, its exit code."""
    status = pod.get("status") or {}
    parts = [str(status.get(key) or "") for key in ("reason", "message")]
    ends = [((c.get("state") or {}).get("terminated") or {}) for c in status.get("containerStatuses") or ()]
    parts += [f"{end.get('reason', '')} (exit code {end.get('exitCode')})" for end in ends if end.get("exitCode")]
    return ": ".join(part for part in parts if part)[:300]


def _last_words(log: str) -> str:
    lines = log.strip().splitlines()
    return lines[-1][:200] if lines else ""


def _because(why: str) -> str:
    return f" ({why})" if why else ""


def _name(pod: Body | None, number: int) -> str:
    return str(pod["metadata"]["name"]) if pod else f"worker {number}"
