"""What benchmarks/results/traffic.json says, in a few lines and as a section of docs/benchmarks.md."""

from collections.abc import Iterable, Mapping
from typing import Any

Answer = Mapping[str, Any]


def figures(answer: Answer) -> Iterable[str]:
    for part, tell in (("days", _experiment), ("day", _experiment), ("prediction", _prediction)):
        if part in answer:
            yield f"traffic {part}: {tell(answer[part])}"
    if "fidelity" in answer:
        worst = max(trace["rate_rmse"] for trace in answer["fidelity"]["traces"].values())
        yield f"traffic fidelity: rate RMSE at most {worst:.4f}"
    if "capacity" in answer:
        yield f"traffic capacity: {_capacities(answer['capacity'])}"
    if "workers" in answer:
        same = all(row["same_schedule"] for row in answer["workers"]["rows"])
        counts = ", ".join(str(row["workers"]) for row in answer["workers"]["rows"])
        yield f"traffic workers: {counts} workers send {'exactly the same schedule' if same else 'OTHER SCHEDULES'}"


def _experiment(part: Answer) -> str:
    ours, open_setting = part["followed"], part["open"]
    return (
        f"RMSE {ours['rmse']:.4f} over {part['pods']} pods and {ours['steps']} steps of {part['step_seconds']:g} s, "
        f"worst pod {_worst(part):.4f} (open setting {open_setting['rmse']:.4f}); "
        f"CPU WAPE {ours['wape']:.1%} ({open_setting['wape']:.1%}), "
        f"peak {ours['peak_error']:+.1%} ({open_setting['peak_error']:+.1%})"
    )


def _worst(part: Answer) -> float:
    return max(float(pod["followed"]["rmse"]) for pod in part["by_pod"].values())


def _prediction(part: Answer) -> str:
    found, stand_in = part["predicted"]["overall"], part["stand_in"]["overall"]
    return (
        f"RMSE {found['rmse']:.4f} over {part['pods']} pods and {found['steps']} steps, CPU WAPE {found['wape']:.1%}; "
        f"stress-ng in their place RMSE {stand_in['rmse']:.4f}"
    )


def _capacities(part: Answer) -> str:
    best: dict[str, float] = {}
    for row in part["rows"]:
        best[row["engine"]] = row["rps"] if row["on_time"] else best.get(row["engine"], 0.0)
    told = ", ".join(f"{engine} {rps:.0f}/s" for engine, rps in best.items())
    return f"{told} with send lag p99 <= {part['lag_limit_ms']:g} ms"


def traffic(answer: Answer) -> Iterable[str]:
    yield "## Traffic (`make bench-traffic`)\n"
    yield (
        "A machine whose load average is near its CPUs before the run, or above, was in use by others: then steps are "
        "missed as others had the CPU, and send lag is that of the machine.\n"
    )
    yield from (f"- {line.removeprefix('traffic ')}" for line in figures(answer))
    for part, what in (("days", "nine tasks by daily averages"), ("day", "ten tasks, one day of five-minute steps")):
        if part in answer:
            yield from _pods(part, what, answer[part])
    if "prediction" in answer:
        yield from _costs(answer["prediction"])
    if "fidelity" in answer:
        yield from _traces(answer["fidelity"])
    if "capacity" in answer:
        yield from _lags(answer["capacity"])
    if "workers" in answer:
        yield from _workers(answer["workers"])


def _pods(part: str, what: str, answer: Answer) -> Iterable[str]:
    yield (
        f"\n**{part}**: CPU of Google cluster tasks ({what}), from {1000 * answer['idle_cores']:g} to "
        f"{1000 * answer['peak_cores']:g} millicores, {answer['step_seconds']:g} s a step, each task as two pods at "
        "once: controlled by measured usage, and with stress-ng's open setting (whole percent of a core). Usage is "
        f"what the kubelets count. {_where(answer)}\n"
    )
    yield "| pod | steps | RMSE | of the range | WAPE | peak | open: RMSE | of the range | WAPE | peak |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    rows = [*answer["by_pod"].items(), ("all", answer)]
    for name, row in rows:
        yield _line([name, str(row["followed"]["steps"]), *_closeness(row["followed"]), *_closeness(row["open"])])


def _closeness(found: Answer) -> list[str]:
    return [
        f"{found['rmse']:.4f}",
        f"{found['rmse_of_range']:.4f}",
        f"{found['wape']:.1%}",
        f"{found['peak_error']:+.1%}",
    ]


def _costs(part: Answer) -> Iterable[str]:
    costs = ", ".join(f"{1000 * cost:.2f} ms a {name} answer" for name, cost in part["seconds_per_request"].items())
    yield (
        f"\n**prediction**: {part['pods']} emulated engines, {part['steps']} steps of {part['step_seconds']:g} s; "
        f"fitted were {1000 * part['base_cores']:.1f} millicores and {costs}. {_where(part)}\n"
    )
    yield "| | RMSE | of the range | WAPE | peak |"
    yield "|---|--:|--:|--:|--:|"
    for name, found in part["predicted"]["by_pod"].items():
        yield _line([f"{name}, used against predicted", *_closeness(found)])
    for name, found in part["stand_in"]["by_pod"].items():
        yield _line([f"{name}, stress-ng in its place", *_closeness(found)])


def _traces(part: Answer) -> Iterable[str]:
    yield (
        "\n**fidelity**: the busiest part of each trace, sent against due, to a trivial server on the same machine. "
        f"{_where(part)}\n"
    )
    yield "| trace | requests | rate RMSE | CV | error | peak/s | error | send lag p99 |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    for name, row in part["traces"].items():
        figures_of = [f"{row['requests']:,}", f"{row['rate_rmse']:.4f}", f"{row['cv']:.2f}", f"{row['cv_error']:+.2%}"]
        figures_of += [f"{row['peak_rps']:.0f}", f"{row['peak_error']:+.2%}", f"{row['send_lag_ms_p99']:.2f} ms"]
        yield _line([name, *figures_of])


def _lags(part: Answer) -> Iterable[str]:
    yield (
        "\n**capacity**: evenly spaced small POSTs to a trivial server on the same machine, one core for the sender; "
        f"lag is behind the intended time. {_where(part)}\n"
    )
    yield "| engine | requests/s | send lag p99 | succeeded |"
    yield "|---|--:|--:|--:|"
    for row in part["rows"]:
        yield _line([row["engine"], f"{row['rps']:.0f}", f"{row['send_lag_ms_p99']:.2f} ms", f"{row['succeeded']:.2%}"])


def _workers(part: Answer) -> Iterable[str]:
    yield f"\n**workers**: one schedule of Poisson arrivals, shared by processes. {_where(part)}\n"
    yield "| workers | same schedule | requests | rate RMSE | CV error | send lag p99 |"
    yield "|--:|---|--:|--:|--:|--:|"
    for row in part["rows"]:
        told = "exactly" if row["same_schedule"] else "NO"
        errors = [f"{row['rate_rmse']:.4f}", f"{row['cv_error']:+.2%}", f"{row['send_lag_ms_p99']:.2f} ms"]
        yield _line([str(row["workers"]), told, f"{row['requests']:,}", *errors])


def _where(part: Answer) -> str:
    load = f"load average {part['load_average_before']:g} before"
    return f"Measured {part['measured_at'][:10]} on {part['cpus']} CPUs, {load}."


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
