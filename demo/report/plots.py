"""The plots. Time is the hour of the replayed day; colours are told apart by people who see few colours."""

import io
from collections.abc import Callable, Iterable

import matplotlib as mpl

mpl.use("Agg")  # before pyplot: there is no display in CI
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from demo.record import Line, Record, ServiceRecord

BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#888888"
SERVICE_COLOURS = (BLUE, ORANGE, GREEN, RED)
Hour = Callable[[float], float]


def all_plots(record: Record) -> dict[str, Figure]:
    """The figures of a report by file stem, in reading order."""
    figures = {f"load-{service.name}": load(record, service) for service in record.services}
    where = {"slices": slices(record)} if record.gpus else {}
    return figures | where | {"attainment": attainment(record), "gpus": gpus_in_use(record)}


def png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    plt.close(figure)
    return buffer.getvalue()


def load(record: Record, service: ServiceRecord) -> Figure:
    """Draw offered and served load with the forecast band above, replicas below."""
    figure, (rate, count) = plt.subplots(
        2, 1, figsize=(10, 5.2), sharex=True, height_ratios=(2.2, 1), layout="constrained"
    )
    hour = _hours(record)
    _band(rate, service, hour)
    _line(rate, service.offered, hour, color=GREY, linewidth=1, label="offered")
    _line(rate, service.served, hour, color=BLUE, linewidth=1.4, label="served")
    rate.set(ylabel="requests/s", ylim=(0, None), title=f"{service.name}: {service.slo}")
    rate.legend(loc="upper left", ncols=4, frameon=False, fontsize=8)
    times = [hour(s.at_seconds) for s in record.samples]
    count.step(times, [s.replicas.get(service.name, 0) for s in record.samples], where="post", color=ORANGE)
    count.step(times, [s.ready.get(service.name, 0) for s in record.samples], where="post", color=GREEN, linestyle="--")
    count.legend(["wanted replicas", "ready replicas"], loc="upper left", frameon=True, fontsize=8, ncols=2)
    count.set(ylabel="replicas", xlabel="hour of the replayed day", ylim=(0, None))
    count.margins(y=0.35)
    _finish((rate, count), record, hour)
    return figure


def slices(record: Record) -> Figure:
    """Draw each memory slice of each GPU over time, coloured by the service that holds it."""
    figure, axes = plt.subplots(figsize=(10, 0.75 * max(len(record.gpus), 2) + 1.2), layout="constrained")
    hour, names = _hours(record), [service.name for service in record.services]
    for before, after in zip(record.samples, record.samples[1:], strict=False):
        for part in before.partitions:
            base = record.gpus.index(part.gpu) * 9 + part.start
            axes.add_patch(
                Rectangle(
                    (hour(before.at_seconds), base),
                    hour(after.at_seconds) - hour(before.at_seconds),
                    memory_slices(part.profile),
                    color=SERVICE_COLOURS[names.index(part.service) % len(SERVICE_COLOURS)],
                    linewidth=0,
                )
            )
    axes.set(ylim=(-1, 9 * len(record.gpus)), xlabel="hour of the replayed day", title="MIG slices in use on each GPU")
    axes.set_yticks([9 * n + 4 for n in range(len(record.gpus))], record.gpus, fontsize=8)
    handles = [Rectangle((0, 0), 1, 1, color=SERVICE_COLOURS[n % 4]) for n in range(len(names))]
    axes.legend(handles, names, loc="lower right", bbox_to_anchor=(1, 1), ncols=4, frameon=False, fontsize=8)
    _finish((axes,), record, hour)
    return figure


def attainment(record: Record) -> Figure:
    """Draw the share of requests that met every target, over time, against the objective."""
    figure, axes = plt.subplots(figsize=(10, 2.6), layout="constrained")
    hour = _hours(record)
    for service, colour in zip(record.services, SERVICE_COLOURS, strict=False):
        _line(axes, service.attained, hour, color=colour, label=f"{service.name} ({service.attainment:.1%})")
        axes.axhline(100 * service.objective, color=colour, linestyle=":", linewidth=1)
    axes.set(ylabel="% within the SLO", xlabel="hour of the replayed day", ylim=(0, 102))
    axes.legend(loc="lower left", frameon=False, fontsize=8)
    _finish((axes,), record, hour)
    return figure


def gpus_in_use(record: Record) -> Figure:
    """Draw the GPUs held over time against static provisioning for the peak."""
    figure, axes = plt.subplots(figsize=(10, 2.6), layout="constrained")
    hour = _hours(record)
    times = [hour(s.at_seconds) for s in record.samples]
    shares = [[s.held.get(r.name, 0.0) for s in record.samples] for r in record.services]
    axes.stackplot(
        times, shares, step="post", colors=SERVICE_COLOURS[: len(shares)], labels=[r.name for r in record.services]
    )
    static = sum(service.static_share for service in record.services)
    axes.axhline(static, color=RED, linestyle="--", label="static, sized for the peak")
    highest = max(static, *(sum(held) for held in zip(*shares, strict=True)))
    axes.set(ylabel="GPUs", xlabel="hour of the replayed day", ylim=(0, highest * 1.25 + 0.2))
    axes.legend(loc="upper left", ncols=4, frameon=False, fontsize=8)
    _finish((axes,), record, hour)
    return figure


def memory_slices(profile: str) -> int:
    """Memory slices of an 80 GB GPU that a profile takes: its memory over 10 GB."""
    return round(int(profile.split(".", 1)[1].split("gb", 1)[0]) / 10)


def _hours(record: Record) -> Hour:
    return lambda at: (at - record.started_at_seconds) * record.compression / 3600


def _line(axes: Axes, line: Line, hour: Hour, **style: object) -> None:
    axes.plot([hour(t) for t in line.times], line.values, **style)  # type: ignore[arg-type]


def _band(axes: Axes, service: ServiceRecord, hour: Hour) -> None:
    if len(service.forecast) < 2:
        return
    low, high = service.forecast[min(service.forecast)], service.forecast[max(service.forecast)]
    times = [hour(t) for t in low.times]
    label = f"forecast, {100 * min(service.forecast):g} to {100 * max(service.forecast):g} %"
    if list(low.times) == list(high.times):
        axes.fill_between(times, low.values, high.values, color=ORANGE, alpha=0.3, linewidth=0, label=label)


def _finish(axes: Iterable[Axes], record: Record, hour: Hour) -> None:
    for axis in axes:
        axis.set_xlim(hour(record.started_at_seconds), hour(record.ended_at_seconds))
        axis.spines[["top", "right"]].set_visible(False)
        for moment in record.moments:
            axis.axvline(hour(moment.at_seconds), color=GREY, linewidth=0.8, linestyle="-.")
