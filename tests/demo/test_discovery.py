"""Prometheus scrapes the pods that ask for it, under the labels that the operator's queries use."""

from typing import Any

from demo.discovery import targets


def pod(*, scrape: str = "true", phase: str = "Running", ip: str | None = "10.0.0.1") -> dict[str, Any]:
    return {
        "metadata": {
            "name": "chat-1",
            "namespace": "shop",
            "annotations": {"prometheus.io/scrape": scrape, "prometheus.io/port": "8000"},
            "labels": {"cynosure.dev/service": "chat", "cynosure.dev/partition": "3g.40gb", "other": "x"},
        },
        "status": {"phase": phase, **({"podIP": ip} if ip else {})},
    }


def test_a_pod_that_asks_for_it_is_a_target_with_its_service_and_partition() -> None:
    (found,) = targets([pod()])
    assert found["targets"] == ["10.0.0.1:8000"]
    assert found["labels"] == {"namespace": "shop", "pod": "chat-1", "service": "chat", "partition": "3g.40gb"}


def test_others_are_left_alone() -> None:
    bare: dict[str, Any] = {"metadata": {"name": "x", "namespace": "y"}}
    assert targets([pod(scrape="false"), pod(phase="Pending"), pod(ip=None), bare]) == []
