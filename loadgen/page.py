"""The report as one page that needs nothing else: rates over time, a heat map of latency, and how it was judged."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from loadgen.outcomes import Outcomes
from loadgen.report import Report
from loadgen.trace import Floats

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 900, 220, 60, 24
_COLUMNS, _ROWS = 120, 32
_LINES = {"offered_rps": "#8a8f98", "sent_rps": "#1f6feb", "served_rps": "#1a7f37"}
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1f2328;background:#fff}
svg{width:100%;height:auto}svg text{font-size:12px;fill:#59636e}td,th{padding:.15rem 1rem .15rem 0;text-align:left}
.met{color:#1a7f37}.missed{color:#cf222e}
"""


def page_of(outcomes: Sequence[Outcomes], reports: Sequence[Report]) -> str:
    """Return HTML for one target, or for two that were sent the same; what comes from files and servers is escaped."""
    sections = "".join(_section(*each) for each in zip(outcomes, reports, strict=True))
    title = escape(str(reports[0]["schedule"].get("trace", "replay")))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Replay of {title}</title><style>{_STYLE}</style>'
        f"<h1>Replay of {title}</h1>{_comparison(reports[0])}{sections}{_provenance(reports[0]['schedule'])}</html>\n"
    )


def _section(outcomes: Outcomes, report: Report) -> str:
    target = escape(", ".join(outcomes.targets.values()))
    verdict = "met" if report["verdict"]["met"] else "missed"
    low, high = report["verdict"]["attainment_interval_95"]
    head = (
        f'<h2>{target}</h2><p class="{verdict}">SLO {verdict}: {report["verdict"]["attainment"]:.2%} attained '
        f"(95 %: {low:.2%} to {high:.2%})</p>"
    )
    return f"{head}{_figures(report)}{_rates(report['series'])}{_heat_map(outcomes)}"


def _figures(report: Report) -> str:
    rows: dict[str, Any] = {
        "offered, sent, succeeded": f"{report['offered']}, {report['sent']}, {report['succeeded']}",
        "failures": ", ".join(f"{reason} {count}" for reason, count in report["failures"].items()) or "none",
        f"late (> {report['late_after_ms']:g} ms), send lag p99": f"{report['late']}, {_ms(report['send_lag_ms_p99'])}",
        "rate RMSE, WAPE": f"{report['rate_rmse']:.4f}, {report['rate_wape']:.4f}",
    }
    for name in ("latency_ms", "ttft_ms", "tpot_ms", "itl_ms"):
        rows[f"{name.removesuffix('_ms')} p50, p95, p99"] = ", ".join(_ms(value) for value in report[name].values())
    return _table(rows)


def _rates(series: Mapping[str, Any]) -> str:
    at, top = series["at_seconds"], max(max(series[name]) for name in _LINES) or 1.0
    until = at[-1] + series["bin_seconds"]
    lines = "".join(
        f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="'
        + " ".join(f"{_x(a, until):.1f},{_y(value / top):.1f}" for a, value in zip(at, series[name], strict=True))
        + '"/>'
        for name, colour in _LINES.items()
    )
    names = ", ".join(f'<tspan fill="{colour}">{name.removesuffix("_rps")}</tspan>' for name, colour in _LINES.items())
    return _chart(f"requests/s: {names}", lines, f"{top:.3g}", "0", until)


def _heat_map(outcomes: Outcomes) -> str:
    """Draw how many requests that were due at a time took how long, on a logarithmic scale."""
    known = outcomes.succeeded & (outcomes.latency_seconds > 0)
    if not known.any():
        return ""
    due, latency = outcomes.due_seconds[known], np.log10(outcomes.latency_seconds[known])
    low, high = np.floor(latency.min() * 4) / 4, np.ceil(latency.max() * 4 + 1e-9) / 4
    edges = np.linspace(0, outcomes.duration_seconds, _COLUMNS + 1), np.linspace(low, max(high, low + 0.25), _ROWS + 1)
    counts = np.histogram2d(due, latency, edges)[0]
    shade = np.log1p(counts) / np.log1p(counts.max())
    cells = "".join(_cell(column, row, shade) for column, row in np.argwhere(counts > 0).tolist())
    slowest, quickest = (f"{10**edge * 1000:.3g} ms" for edge in (edges[1][-1], edges[1][0]))
    return _chart("latency, by when it was due", cells, slowest, quickest, outcomes.duration_seconds)


def _cell(column: int, row: int, shade: Floats) -> str:
    width, height = (_WIDTH - _LEFT) / _COLUMNS, (_HEIGHT - _BOTTOM) / _ROWS
    x, y = _LEFT + column * width, (_ROWS - 1 - row) * height
    opacity = 0.15 + 0.85 * float(shade[column, row])
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" opacity="{opacity:.2f}"/>'


def _chart(title: str, body: str, top: str, bottom: str, until_seconds: float) -> str:
    floor = _HEIGHT - _BOTTOM
    return (
        f'<svg viewBox="0 -20 {_WIDTH} {_HEIGHT + 20}" role="img"><text x="{_LEFT}" y="-6">{title}</text>'
        f'<g fill="#1f6feb">{body}</g><text x="{_LEFT - 6}" y="10" text-anchor="end">{top}</text>'
        f'<text x="{_LEFT - 6}" y="{floor}" text-anchor="end">{bottom}</text>'
        f'<path d="M{_LEFT} 0V{floor}H{_WIDTH}" fill="none" stroke="#d1d9e0"/>'
        f'<text x="{_LEFT}" y="{_HEIGHT - 6}">0 s</text>'
        f'<text x="{_WIDTH}" y="{_HEIGHT - 6}" text-anchor="end">{until_seconds:.6g} s</text></svg>'
    )


def _comparison(report: Report) -> str:
    if "comparison" not in report:
        return ""
    found = report["comparison"]
    low, high = found["attainment_difference_interval_95"]
    return (
        f"<p>The first attains {found['attainment_difference']:+.2%} more than the second (95 %: {low:+.2%} to "
        f"{high:+.2%}); decided: {found['decided'] or 'neither'}.</p>"
    )


def _provenance(schedule: Mapping[str, Any]) -> str:
    return f"<h2>What was sent</h2>{_table(schedule)}"


def _table(rows: Mapping[str, Any]) -> str:
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in rows.items())
    return f"<table>{cells}</table>"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g} ms"


def _x(seconds: float, until_seconds: float) -> float:
    return _LEFT + (_WIDTH - _LEFT) * seconds / until_seconds


def _y(share: float) -> float:
    return (_HEIGHT - _BOTTOM) * (1 - share)
