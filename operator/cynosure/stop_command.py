"""``cynosure stop``: the emergency stop of all automation, one field of one object.

Stopping asks nothing, as seconds may count; letting it go on again is asked for on a terminal.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cynosure.api import API_VERSION, AutomationPolicy, InferenceService, ScalingIntent
from cynosure.api.intent_status import Phase
from cynosure.caller import add_command, as_caller, every_allowed, parsed, say
from cynosure.errors import BadInput, NotFound
from cynosure.kube.port import AUTOMATION_POLICIES, INFERENCE_SERVICES, SCALING_INTENTS, Body, KubeApi

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_NAME = "default"


def register(commands: "Commands") -> None:
    parser = add_command(commands, "stop", "stop all automation in the cluster at once, or let it go on with --off")
    parser.add_argument("--off", action="store_true", help="let it go on again")
    parser.add_argument("--yes", action="store_true", help="with --off: do not ask on the terminal")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=_stop)


def _stop(arguments: argparse.Namespace) -> int:
    wanted = not arguments.off
    if arguments.off and not arguments.yes and not _agreed():
        say("nothing was changed")
        return 1

    async def stop(api: KubeApi) -> Body:
        was = await _write(api, stop=wanted)
        services = await every_allowed(api, INFERENCE_SERVICES, InferenceService)
        intents = await every_allowed(api, SCALING_INTENTS, ScalingIntent)
        waiting = [f"{i.metadata.namespace}/{i.metadata.name}" for i in intents if i.status.phase is Phase.APPROVED]
        return {"stop": wanted, "before": was, "services": len(services), "approved_intents": sorted(waiting)}

    found = as_caller(arguments, stop)
    say(json.dumps(found) if arguments.json else "\n".join(_lines(found)))
    return 0


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise BadInput("stop --off: got no terminal to ask on; limit: a person's word; use stop --off --yes")
    return input("Let the operator change services again? [y/N] ").strip().lower() in ("y", "yes")


async def _write(api: KubeApi, *, stop: bool) -> bool:
    """Set it, and return what it was. Without a policy one is made for the stop, and nothing is to be lifted."""
    try:
        policy = parsed(AutomationPolicy, await api.get(AUTOMATION_POLICIES, _NAME))
    except NotFound:
        if stop:
            body = {"apiVersion": API_VERSION, "kind": "AutomationPolicy", "metadata": {"name": _NAME}}
            await api.create(AUTOMATION_POLICIES, {**body, "spec": {"stop": True}})
        return False
    if policy.spec.stop != stop:
        await api.patch(AUTOMATION_POLICIES, _NAME, {"spec": {"stop": stop}})
    return policy.spec.stop


def _lines(found: Body) -> Iterator[str]:
    state = "on" if found["stop"] else "off"
    already = " already" if found["before"] == found["stop"] else ""
    yield f"AutomationPolicy {_NAME}: the emergency stop is {state}{already}."
    waiting = ", ".join(found["approved_intents"]) or "none"
    if found["stop"]:
        yield f"  From the next pass on nothing is scaled, moved, made or deleted: {found['services']} service(s) stay."
        yield "  What runs goes on serving; decisions are still made and shown. People can change everything."
        yield f"  Approved intents that wait: {waiting}."
        yield "  To go on: kubectl cynosure stop --off"
    else:
        yield f"  {found['services']} service(s) are scaled again. Approved intents that are applied now: {waiting}."
