"""From ``spec.patience``, ``spec.retries`` and ``spec.mix`` to the users of a schedule."""

from cynosure.api import TrafficReplay
from cynosure.api import replay_users as api
from cynosure.api.conditions import Reason
from cynosure.reconcile.replays.children import slo_targets
from cynosure.reconcile.replays.hindrance import trace
from loadgen.errors import BadLoadInput
from loadgen.mix import Lengths, RequestClass
from loadgen.populate import populated
from loadgen.retries import Retries
from loadgen.schedule import Schedule
from loadgen.users import Patience, Users


def with_users(schedule: Schedule, replay: TrafficReplay) -> Schedule:
    """Raises ``Hindered`` for a mix of token lengths where images are asked for."""
    try:
        return populated(schedule, _users(replay), replay.spec.seed)
    except BadLoadInput as error:
        raise trace(Reason.TRACE_INVALID, str(error)) from error


def _users(replay: TrafficReplay) -> Users:
    spec = replay.spec
    return Users(
        _patience(spec.patience) if spec.patience else None,
        _retries(spec.retries) if spec.retries else None,
        tuple(map(_class, spec.mix)),
    )


def _patience(patience: api.Patience) -> Patience:
    return Patience(patience.mean_milliseconds / 1000, patience.distribution.value)


def _retries(retries: api.Retries) -> Retries:
    return Retries(retries.most, retries.backoff_milliseconds / 1000, float(retries.budget_share))


def _class(each: api.RequestClass) -> RequestClass:
    inputs, outputs = (Lengths(tokens.p50, tokens.p95) for tokens in (each.input_tokens, each.output_tokens))
    return RequestClass(each.name, float(each.weight), inputs, outputs, slo_targets(each.targets))
