"""A schedule played to a service where it stands: what is told of each request, and what holds the service there."""

import asyncio
import multiprocessing
import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from cynosure.errors import BadInput, Unavailable
from cynosure.model.bounds import Bounds, ServiceBounds
from cynosure.model.gpu import Gpu, Slot
from cynosure.model.plan import Action, Decision, Option
from cynosure.model.service import BatchJob, Metric, Mode, Service, ServiceKey, Target
from cynosure.model.signals import AbsenceReason, Absent, Load
from cynosure.model.snapshot import Observation, Replica, ReplicaPhase, Snapshot, Workload
from cynosure.plan import Tuning
from cynosure.settings import Settings
from cynosure.twin.apart import replayed_apart
from cynosure.twin.policies.static import Static
from cynosure.twin.replayed import PATIENCE_SECONDS, experiment_of, replayed
from cynosure.twin.simulation import simulate
from cynosure.twin.site import Site, site_of
from cynosure.twin.tally import shares

from loadgen.comparison import compare
from loadgen.mix import Lengths, RequestClass
from loadgen.outcomes import Status
from loadgen.populate import populated
from loadgen.report import report_of
from loadgen.retries import Retries
from loadgen.schedule import Kind, Schedule
from loadgen.slo import Slo
from loadgen.users import Patience, Users
from tests.twin.conftest import GPU, profile

TTFT = Target(Metric.TTFT, 95, 600)
SLO = Slo.parse("ttft_p95_ms=600")
CHAT, OTHER = ServiceKey("shop", "chat"), ServiceKey("shop", "search")
NONE = Absent(AbsenceReason.MISSING, "a test")
NOW = 1_900_000_000.0


def schedule(rps: float = 8.0, seconds: float = 600.0, seed: int = 0) -> Schedule:
    random = np.random.default_rng(seed)
    at = np.sort(random.uniform(0, seconds, int(rps * seconds)))
    inputs, outputs = random.integers(200, 1800, len(at)), random.integers(5, 45, len(at))
    return Schedule.of(at, inputs, outputs, np.zeros(len(at), np.int64), seconds, {"trace": "a test"})


def observed(key: ServiceKey = CHAT, ready: int = 3, pending: int = 0, gpu: int = 0, **spec: Any) -> Observation:
    plain: dict[str, Any] = {"max_replicas": 12, "partitions": ("3g.40gb",)}
    service = Service(key, "llm", (TTFT,), **(plain | spec))
    phases = [ReplicaPhase.READY] * ready + [ReplicaPhase.PENDING] * pending
    replicas = tuple(
        Replica(f"{key.name}-{n}", "3g.40gb", phase, NOW, Slot(f"gpu-{gpu + n // 2}", 4 * (n % 2), "3g.40gb", key))
        for n, phase in enumerate(phases)
    )
    load = Load(NONE, NONE, NONE, NONE, NONE)
    return Observation(service, load, (Workload("3g.40gb", len(replicas)),), replicas, lead_time_seconds=30.0)


def drawing(watts: float) -> Observation:
    """A service whose last decision draws so much."""
    option = Option("3g.40gb", GPU, 1, 4, 4.0, 3 / 7, watts)
    return replace(observed(OTHER, ready=0), last=Decision(OTHER, Action.HOLD, option, "Present", "a test", NOW))


def snapshot(*observations: Observation, gpus: int = 6) -> Snapshot:
    found = tuple(Gpu(f"gpu-{n}", "node-0", n, GPU) for n in range(gpus))
    return Snapshot(NOW, observations or (observed(),), found, (), {"llm": profile()})


def site(seen: Snapshot | None = None, bounds: Bounds | None = None, key: ServiceKey = CHAT) -> Site:
    return site_of(seen or snapshot(), key, bounds or Bounds(), Tuning(), Settings())


def test_each_request_of_the_schedule_has_its_outcome_and_nothing_is_said_of_sending() -> None:
    load = schedule()
    found = replayed(site(), load, seed=1)

    assert found.due_seconds.tolist() == load.send_at_seconds.tolist()
    assert found.succeeded.all()
    assert (found.first_seconds > 0).all()
    assert (found.latency_seconds >= found.first_seconds).all()
    assert found.tokens.tolist() == load.output_tokens.tolist()
    report = report_of(found, SLO)
    assert report["verdict"]["attainment"] > 0.9
    assert report["verdict"]["attainment_interval_95"][0] < report["verdict"]["attainment"]
    for unknown in ("late", "rate_rmse", "rate_wape", "send_lag_ms_p99"):
        assert report[unknown] is None, "absent, and not as good as can be"
    assert report["series"]["sent_rps"] is None
    assert report["offered"] == report["sent"] == len(load)


def test_users_who_waited_too_long_have_gone_and_are_told_apart_from_those_who_timed_out() -> None:
    load = schedule(40.0)
    short = populated(load, Users(Patience(2.0, "fixed")), 0)
    patient, gone = (replayed(site(snapshot(observed(ready=1))), each, seed=1) for each in (load, short))

    lost = gone.status == Status.ABANDONED
    assert 0 < lost.sum() < len(load)
    assert np.array_equal(lost, ~(patient.first_seconds <= 2.0) & (patient.status != Status.CONNECTION))
    assert np.isnan(gone.first_seconds[lost]).all()
    assert report_of(gone, SLO)["abandoned"] == lost.sum()


def test_it_says_that_nothing_is_sent_again() -> None:
    load = populated(schedule(seconds=60.0), Users(retries=Retries()), 0)
    found = replayed(site(snapshot(observed(ready=0))), load, seed=1)

    assert found.attempts.tolist() == [1] * len(load)
    assert "sent once" in report_of(found, SLO)["schedule"]["not_simulated"]


def test_a_mix_of_short_and_long_requests_is_simulated_and_told_by_class() -> None:
    short = RequestClass("short", 70, Lengths(200, 200), Lengths(5, 5))
    long = RequestClass("long", 30, Lengths(1800, 1800), Lengths(45, 45))
    found = replayed(site(), populated(schedule(), Users(mix=(short, long)), 0), seed=1)

    classes = report_of(found, SLO)["classes"]
    assert classes["short"]["offered"] + classes["long"]["offered"] == len(schedule())
    assert classes["short"]["latency_ms"]["p50"] < classes["long"]["latency_ms"]["p50"]


def test_the_ledger_and_the_tally_tell_the_same() -> None:
    experiment = experiment_of(site(), schedule(20.0), seed=0)
    tally = simulate(experiment, Static(2)).tally
    first = tally.ledger.first_at - schedule(20.0).send_at_seconds

    with np.errstate(invalid="ignore"):
        met = np.count_nonzero(first <= 0.6) / len(first)
    assert met == pytest.approx(shares(tally)[0])
    assert 0 < met < 1


def test_the_same_seed_gives_the_same_and_another_one_does_not() -> None:
    one, again, other = (replayed(site(), schedule(), seed) for seed in (1, 1, 2))

    assert np.array_equal(one.latency_seconds, again.latency_seconds)
    assert not np.array_equal(one.latency_seconds, other.latency_seconds)


def test_it_begins_with_the_present_replicas_and_those_that_start() -> None:
    none, few, coming = (replayed(site(snapshot(seen)), schedule(), 0) for seen in (
        observed(ready=0), observed(ready=1), observed(ready=1, pending=3)
    ))  # fmt: skip
    early = schedule().send_at_seconds < 20

    assert (none.status[early] == Status.CONNECTION).all(), "nobody was there to answer"
    assert few.succeeded[early].all()
    attained = [report_of(each, SLO)["verdict"]["attainment"] for each in (none, few, coming)]
    assert attained == sorted(attained)


def test_what_others_have_is_left_to_them() -> None:
    heavy = schedule(40.0)
    crowd = [observed(OTHER, ready=10, gpu=1)]
    alone, beside = (replayed(site(snapshot(observed(), *others)), heavy, 0) for others in ([], crowd))

    assert report_of(alone, SLO)["verdict"]["attainment"] > 1.2 * report_of(beside, SLO)["verdict"]["attainment"]


@pytest.mark.parametrize(
    "limited",
    [
        site(snapshot(observed(mode=Mode.PAUSED))),
        site(snapshot(replace(observed(), workloads=(Workload("3g.40gb", 3, "keda"),)))),
        site(bounds=Bounds(services={CHAT: ServiceBounds(max_replicas=3)})),
        site(bounds=Bounds(max_gpus=2)),
        site(snapshot(observed(), drawing(watts=900.0)), Bounds(max_watts=1100.0)),
    ],
    ids=[
        "paused",
        "owned by another autoscaler",
        "bound by an intent",
        "GPUs of all",
        "watts of all, less the others'",
    ],
)
def test_what_holds_the_product_in_the_cluster_holds_it_in_the_twin(limited: Site) -> None:
    heavy = schedule(30.0)

    free, held = (report_of(replayed(where, heavy, 0), SLO)["verdict"]["attainment"] for where in (site(), limited))
    assert held < free


def test_two_services_are_compared_request_by_request() -> None:
    seen = snapshot(observed(ready=4), observed(OTHER, ready=1, gpu=2, max_replicas=1))
    strong, weak = (replayed(site(seen, key=key), schedule(), 7) for key in (CHAT, OTHER))

    assert compare(strong, weak, SLO)["decided"] == "first"


def test_what_the_client_would_give_up_is_a_failure_in_the_twin_too() -> None:
    narrow = site(snapshot(observed(ready=1, max_replicas=1)))
    found = replayed(narrow, schedule(12.0), 0)

    assert np.nanmax(found.latency_seconds) <= PATIENCE_SECONDS
    assert report_of(found, SLO)["failures"].keys() <= {"timeout", "unfinished"}
    assert (found.status == Status.TIMEOUT).any()


def test_a_prompt_that_never_fits_is_refused_as_an_engine_does() -> None:
    load = schedule(1.0, 60.0)
    load.input_tokens[3] = 300_000

    found = replayed(site(), load, 0)
    assert found.status[3] == 400
    assert report_of(found, SLO)["failures"] == {"http_400": 1}


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (snapshot(observed(OTHER)), "does not know it as a valid InferenceService"),
        (snapshot(observed(batch=BatchJob(9, 60.0, NOW))), "is a job with a deadline"),
        (replace(snapshot(), profiles={}), "there is no valid ModelProfile llm"),
        (snapshot(gpus=0), "no usable GPU of the cluster"),
        (snapshot(observed(confidential=True)), "no usable GPU of the cluster"),
        (snapshot(observed(partitions=("1g.10gb",))), "has no point on A100-80GB for 1g.10gb; it has 3g.40gb, 7g.80gb"),
    ],
)
def test_what_cannot_be_simulated_says_what_is_missing(seen: Snapshot, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        site(seen)


def test_a_schedule_of_images_is_none_for_text() -> None:
    images = replace(schedule(), kind=np.full(len(schedule()), int(Kind.CLASSIFICATION)))
    with pytest.raises(BadInput, match="takes completions, and the schedule has others"):
        replayed(site(), images, 0)


async def test_in_a_process_of_its_own_it_finds_the_same() -> None:
    (there,) = await replayed_apart([site()], schedule(), 3, limit_seconds=60.0)

    assert np.array_equal(there.latency_seconds, replayed(site(), schedule(), 3).latency_seconds)
    assert not multiprocessing.active_children()


async def test_a_process_that_takes_too_long_or_is_no_longer_wanted_is_ended() -> None:
    with pytest.raises(Unavailable, match=r"no answer within 0\.2 s"):
        await replayed_apart([site()], schedule(), 0, limit_seconds=0.2)
    unwanted = asyncio.create_task(replayed_apart([site()], schedule(), 0, limit_seconds=60.0))
    await asyncio.sleep(0.3)
    unwanted.cancel()
    with pytest.raises(asyncio.CancelledError):
        await unwanted
    await asyncio.sleep(0.1)
    assert not multiprocessing.active_children()


async def test_what_it_refuses_is_said_there_too() -> None:
    images = replace(schedule(), kind=np.full(len(schedule()), int(Kind.CLASSIFICATION)))
    with pytest.raises(BadInput, match="takes completions"):
        await replayed_apart([site()], images, 0, limit_seconds=60.0)


def test_without_a_compiler_it_finds_the_same() -> None:
    """The operator's image has none."""
    program = (
        "import sys; sys.modules['numba'] = None\n"
        "from tests.twin.test_replayed import replayed, schedule, site\n"
        "print(repr(float(replayed(site(), schedule(2.0, 120.0), 5).latency_seconds.sum())))"
    )
    where = {"PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=where)
    assert float(said.stdout) == float(replayed(site(), schedule(2.0, 120.0), 5).latency_seconds.sum())
