"""The files of the command, built in few words."""

from typing import Any

A100 = "A100-80GB"


def demand(gpu: str = A100, **services: dict[str, int]) -> dict[str, Any]:
    return {"gpu": gpu, "services": [{"name": n, "partitions": wishes(of)} for n, of in services.items()]}


def wishes(counts: dict[str, int]) -> list[dict[str, Any]]:
    return [{"profile": profile, "count": count} for profile, count in counts.items()]


def rated(**rates: tuple[float, float]) -> dict[str, Any]:
    services = [{"name": name, "rate_rps": rate, "latency_ms": latency} for name, (rate, latency) in rates.items()]
    return {"gpu": A100, "services": services}


def gpus(count: int, product: str = A100, first: int = 0, **fields: object) -> list[dict[str, Any]]:
    return [{"gpu": first + n, "product": product, "node": f"n{n // 8}", "zone": "z", **fields} for n in range(count)]


def points(model: str, rps: dict[int, float], latency_ms: float = 10.0) -> list[dict[str, Any]]:
    return [{"model": model, "gpcs": g, "throughput_rps": r, "latency_ms": latency_ms} for g, r in rps.items()]


def placement(**gpu: list[tuple[str, int, str]]) -> dict[str, Any]:
    """Write ``gpu0=[("3g.40gb", 0, "chat")]``."""
    return {"placement": [{"gpu": int(name.removeprefix("gpu")), "slices": slices(of)} for name, of in gpu.items()]}


def slices(of: list[tuple[str, int, str]]) -> list[dict[str, Any]]:
    return [{"profile": profile, "start": start, "service": service} for profile, start, service in of]
