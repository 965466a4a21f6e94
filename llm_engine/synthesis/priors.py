"""What people write into an option, by what it means: its name says more than its type.

Figures of public traces: the GPUs, processors and memory of pods are those of 8,152 pods of Alibaba's GPU cluster
(openb_pod_list_default of clusterdata's cluster-trace-gpu-v2023, Weng et al., ATC 2023). Numbers that people choose
freely are preferred numbers (1, 2, 5 and their tens most of all), the hours of windows those of offices.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, Final, TypeVar

Prior = Callable[[Random], Any]
T = TypeVar("T")

GPUS: Final = {0: 1088, 1: 6989, 2: 16, 4: 15, 8: 44}
MILLICORES: Final = {3152: 1592, 11300: 874, 8000: 837, 11908: 778, 4000: 666, 11400: 610, 12500: 366, 32000: 293}
MEBIBYTES: Final = {5600: 1592, 49152: 1148, 30517: 787, 47104: 786, 48128: 534, 57344: 375, 24576: 268}
_FIRST: Final = ("fast", "legal", "eu", "blue", "night", "team-a", "small", "beta", "night-shift", "support")
_SECOND: Final = ("chat", "vision", "search", "embed", "ranker", "tutor", "ocr", "speech", "drafts", "labels")
_DIGITS: Final = {1.0: 8, 1.5: 3, 2.0: 7, 2.5: 4, 3.0: 5, 4.0: 4, 5.0: 8, 6.0: 2, 7.5: 2, 8.0: 3}
_HOURS: Final = {0: 2, 6: 3, 7: 5, 8: 9, 9: 9, 10: 3, 12: 3, 14: 2, 17: 5, 18: 8, 19: 4, 20: 5, 22: 5}
_ZONES: Final = {"UTC": 6, "Europe/Madrid": 3, "Europe/Berlin": 3, "America/New_York": 2, "Asia/Shanghai": 1}
_DAYS: Final = {"1-5": 10, "*": 8, "0,6": 2, "1": 2, "5": 1, "6": 1}


def chosen(random: Random, weights: Mapping[T, float]) -> T:
    return random.choices(list(weights), list(weights.values()))[0]


def name(random: Random) -> str:
    """One that a Kubernetes object may have."""
    parts = [random.choice(_SECOND)]
    if random.random() < 0.5:
        parts.insert(0, random.choice(_FIRST))
    if random.random() < 0.25:
        parts.append(str(random.randint(2, 9)))
    return "-".join(parts)


def count(random: Random) -> int:
    """Few most of the time: 1 + geometric, with a mean of 4."""
    found = 1
    while random.random() < 0.75 and found < 64:
        found += 1
    return found


def preferred(random: Random, low: float, high: float) -> float:
    """A preferred number between two positive ones, its magnitude log-uniform."""
    for _ in range(64):
        value = chosen(random, _DIGITS) * 10 ** random.randint(-3, 9)
        if low <= value <= high:
            return float(f"{value:.6g}")
    return low


def clock(random: Random) -> str:
    return f"{chosen(random, _HOURS):02d}:{chosen(random, {0: 12, 30: 5, 15: 1, 45: 1}):02d}"


def cron(random: Random) -> str:
    minute, hour = chosen(random, {0: 12, 30: 5, 15: 1}), chosen(random, _HOURS)
    return f"{minute} {hour} * * {chosen(random, _DAYS)}"


def time_zone(random: Random) -> str:
    return chosen(random, _ZONES)


def moment(random: Random) -> str:
    """RFC 3339, in a future that comes after these lines were written."""
    return f"{random.randint(2030, 2035)}-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}T{clock(random)}:00Z"


def image(random: Random) -> str:
    return f"registry.example/{name(random)}:{random.randint(0, 3)}.{random.randint(0, 20)}"


def decimal(low: float, high: float) -> Prior:
    """A preferred number as a string, without an exponent or idle zeros."""
    return lambda random: f"{preferred(random, low, high):f}".rstrip("0").rstrip(".")


def _one_of(*values: Any) -> Prior:
    return lambda random: random.choice(values)


BY_NAME: Final[Sequence[tuple[re.Pattern[str], Prior]]] = [
    (re.compile(rf"(?i)(?:^|[a-z_])(?:{pattern})$"), prior)
    for pattern, prior in (
        ("cron", cron),
        ("time_?zone", time_zone),
        ("time_?of_?day|from|to", clock),
        ("expires|since_?time|timestamp|not_?before|not_?after", moment),
        ("image", image),
        ("uri", lambda random: f"hf://example/{name(random)}"),
        ("url|host|server|target", lambda random: f"https://{name(random)}.example:8443"),
        ("proxy", lambda random: f"http://{name(random)}.example:3128"),
        ("port|node_?port", _one_of(80, 443, 8000, 8080, 8443, 9090)),
        ("protocol", _one_of("TCP", "UDP")),
        ("cpu", lambda random: f"{chosen(random, MILLICORES)}m"),
        ("memory", lambda random: f"{chosen(random, MEBIBYTES)}Mi"),
        ("gpus", lambda random: max(1, chosen(random, GPUS))),
        ("currency", _one_of("EUR", "USD")),
        ("cost_?per_?hour|price_?per_?hour", decimal(0.5, 500)),
        ("watts|watts_?idle|watts_?peak", lambda random: int(preferred(random, 50, 20000))),
        ("milliseconds", lambda random: int(preferred(random, 20, 20000))),
        ("percentile", _one_of(50, 90, 95, 95, 99)),
        ("error_?rate_?percent", decimal(0.1, 5)),
        ("weight|fairness", _one_of("0", "0.25", "0.5", "0.75", "1")),
        ("namespace", _one_of("shop", "lab", "ml-prod", "default")),
        ("release_?namespace", _one_of("shop", "lab")),
        ("replicas|min|max|current_?replicas|workers|completions", count),
        (
            "timeout|wait_?timeout|seconds|wait_?sleep|sleep|grace_?period",
            lambda random: int(preferred(random, 1, 3600)),
        ),
        ("label_?selectors?|field_?selectors?", lambda random: f"app={name(random)}"),
        ("api_?version", _one_of("v1", "apps/v1", "batch/v1")),
        ("kind", _one_of("Deployment", "Service", "Job", "ConfigMap")),
        ("key", lambda random: f"example.org/{name(random)}"),
    )
]
"""The first whose pattern ends the name of an option; what none knows is drawn by its type."""


def prior_of(option: str) -> Prior | None:
    return next((prior for pattern, prior in BY_NAME if pattern.search(option)), None)
