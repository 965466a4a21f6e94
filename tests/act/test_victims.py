"""Scale-down frees the slots that the plan wants free, then what does not serve, then what is young."""

from cynosure.act.victims import cost_changes, victims
from cynosure.model.gpu import Slot

from tests.act.conftest import KEY, replica

KEPT = (Slot("GPU-1", 0, "2g.20gb", KEY), Slot("GPU-1", 2, "2g.20gb", KEY))


def pods_of(chosen: list[object]) -> list[str]:
    return [victim.pod for victim in chosen]  # type: ignore[attr-defined]


def test_a_slot_that_is_wanted_free_goes_first() -> None:
    replicas = [replica("old", gpu="GPU-2", created=0.0), replica("young", gpu="GPU-1", start=0, created=9.0)]
    assert pods_of(victims(replicas, KEPT, 1)) == ["old"]


def test_then_pending_then_the_youngest() -> None:
    replicas = [
        replica("ready-old", gpu="GPU-1", start=0, created=1.0),
        replica("ready-young", gpu="GPU-1", start=2, created=2.0),
        replica("pending", "Pending", created=0.0),
    ]
    assert pods_of(victims(replicas, KEPT, 2)) == ["pending", "ready-young"]


def test_what_does_not_serve_goes_before_a_replica_whose_slot_is_wanted_free() -> None:
    """Kubernetes does so whatever it is told: a plan that counts on the opposite would lose a ready replica."""
    replicas = [replica("ready", gpu="GPU-2"), replica("starts", "Pending", gpu="GPU-1", start=0)]
    assert pods_of(victims(replicas, KEPT, 1)) == ["starts"]


def test_draining_replicas_go_anyway_and_do_not_count() -> None:
    replicas = [replica("draining", "Draining"), replica("one"), replica("two", created=1.0)]
    assert pods_of(victims(replicas, (), 1)) == ["two"]


def test_scaling_up_chooses_nobody() -> None:
    assert victims([replica("one")], (), -3) == []


def test_an_earlier_choice_is_taken_back() -> None:
    cost = {"controller.kubernetes.io/pod-deletion-cost": "-100"}
    pods = [
        {"metadata": {"name": "one", "annotations": cost}},
        {"metadata": {"name": "two"}},
        {"metadata": {"name": "three"}},
    ]
    assert cost_changes(pods, [replica("two")]) == {"one": None, "two": "-100"}
