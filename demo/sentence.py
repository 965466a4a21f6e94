"""A sentence, from asking to undoing: one person asks, another approves, the operator applies and verifies."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from demo.kubectl import Body, StepFailed
from demo.record import Moment
from demo.stage import Stage

INTENTS = "scalingintents.cynosure.dev"
_POLL_SECONDS = 2.0


@dataclass
class Sentence:
    """The life of one ScalingIntent, with the moments that the report marks."""

    stage: Stage
    clock: Callable[[], float] = time.time
    moments: list[Moment] = field(default_factory=list)
    name: str = ""

    def ask_and_approve(self) -> None:
        """Alice asks; the operator answers with a plan; bob approves exactly that plan by its digest."""
        before = set(self._names())
        asked = self.stage.asker.cynosure("ask", self.stage.scenario.sentence, "--apply", "-n", self._namespace)
        if asked.returncode != 0:
            raise StepFailed(f"ask: {asked.stderr.strip() or asked.stdout.strip()}")
        self.stage.say(f"alice asked: {self.stage.scenario.sentence!r}\n{_indented(asked.stdout)}")
        (self.name,) = set(self._names()) - before
        digest = str(self._await("a plan", lambda status: status.get("plan", {}).get("digest"), 60))
        self._mark("asked")
        self._refused_to_asker(digest)
        approved = self.stage.approver.cynosure("approve", self.name, "--digest", digest, "-n", self._namespace)
        if approved.returncode != 0:
            raise StepFailed(f"approve: {approved.stderr.strip() or approved.stdout.strip()}")
        self._mark("approved")
        self.stage.say(f"bob approved {self.name} with digest {digest[:19]}…")

    def await_verdict(self, timeout_seconds: float) -> bool:
        """Wait until the effect was measured; True if it is what was asked for."""
        self._await("its application", lambda status: _condition(status, "Applied") == "True", 60)
        self._mark("applied")
        verdict = self._await(
            "a verdict on live metrics",
            lambda status: {"True": "True", "False": "False"}.get(_condition(status, "Verified")),
            timeout_seconds,
        )
        self._mark("verified" if verdict == "True" else "not met")
        return verdict == "True"

    def undo(self) -> None:
        """Alice asks to undo; bob approves; the limits are gone."""
        before = set(self._names())
        asked = self.stage.asker.cynosure("undo", self.name, "-n", self._namespace)
        if asked.returncode != 0:
            raise StepFailed(f"undo: {asked.stderr.strip() or asked.stdout.strip()}")
        for name in set(self._names()) - before:
            digest = str(self._await("a plan", lambda status: status.get("plan", {}).get("digest"), 60, name))
            done = self.stage.approver.cynosure("approve", name, "--digest", digest, "-n", self._namespace)
            if done.returncode != 0:
                raise StepFailed(f"approve: {done.stderr.strip() or done.stdout.strip()}")
        self._await("its end", lambda status: status.get("phase") == "Undone", 60)
        self._mark("undone")

    def document(self) -> Body:
        """Return the intent as the cluster holds it, without bookkeeping."""
        body = self.stage.admin.kubectl.get(INTENTS, self.name, namespace=self._namespace)
        return {"spec": body["spec"], "status": body.get("status", {})}

    def _refused_to_asker(self, digest: str) -> None:
        """Whoever asks may not approve: RBAC says no before the operator has to."""
        tried = self.stage.asker.cynosure("approve", self.name, "--digest", digest, "-n", self._namespace)
        if tried.returncode == 0:
            raise StepFailed("alice could approve her own intent; the roles of the chart are not in force")
        self.stage.say("alice may not approve her own intent (forbidden by RBAC)")

    @property
    def _namespace(self) -> str:
        return self.stage.scenario.namespace

    def _names(self) -> list[str]:
        items = self.stage.admin.kubectl.get(INTENTS, namespace=self._namespace)["items"]
        return [item["metadata"]["name"] for item in items]

    def _mark(self, text: str) -> None:
        self.moments.append(Moment(self.clock(), text))

    def _await(self, what: str, found: Callable[[Body], object], timeout_seconds: float, name: str = "") -> object:
        ends = self.clock() + timeout_seconds
        while True:
            intent = self.stage.admin.kubectl.get(INTENTS, name or self.name, namespace=self._namespace)
            status = intent.get("status", {})
            if answer := found(status):
                return answer
            if self.clock() > ends:
                raise StepFailed(f"{name or self.name} waited {timeout_seconds:g} s for {what}; {_why(status)}")
            time.sleep(_POLL_SECONDS)


def _condition(status: Body, kind: str) -> str:
    return next((c["status"] for c in status.get("conditions", ()) if c["type"] == kind), "")


def _why(status: Body) -> str:
    told = "; ".join(f"{c['type']}={c['status']} {c['reason']}: {c['message']}" for c in status.get("conditions", ()))
    return told or "the operator has not written a condition"


def _indented(text: str) -> str:
    return "\n".join(f"           {line}" for line in text.rstrip().splitlines())
