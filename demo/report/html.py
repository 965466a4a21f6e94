"""One HTML file with the plots inside it; every text that came from the cluster is escaped."""

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html import escape

from demo.record import Record

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
img { width: 100%; height: auto; } p.note { color: #555; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ddd; vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
pre { background: #f5f5f5; padding: .8rem; overflow-x: auto; font-size: .8rem; }
"""


def page(record: Record, plots: Mapping[str, bytes]) -> str:
    """Return the whole report; ``plots`` are PNG files by name, in reading order."""
    sections = [
        f"<p class=note>{escape(record.trace)}</p>",
        _results(record),
        *(_figure(name, image) for name, image in plots.items()),
        "<h2>The sentence</h2>",
        f"<pre>{escape(json.dumps(record.intent, indent=2, ensure_ascii=False, default=str))}</pre>",
        "<h2>Decisions</h2>",
        _decisions(record),
        "<h2>How it was run</h2>",
        _table(("fact", "value"), record.facts.items()),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Cynosure demo</title>'
        f"<style>{_STYLE}</style></head><body><h1>Cynosure: one day, replayed</h1>{''.join(sections)}</body></html>\n"
    )


def _results(record: Record) -> str:
    rows = [
        (
            s.name,
            s.slo,
            f"{s.objective:.1%}",
            f"{s.attainment:.2%}",
            f"{s.sent}",
            f"{s.failed}",
            f"{record.gpu_hours(s.name):.1f}",
        )
        for s in record.services
    ]
    heads = ("service", "SLO", "objective", "attainment", "requests", "failed", "GPU-hours")
    return f"<h2>Result</h2>{_table(heads, rows)}<p><b>{escape(record.cost())}</b></p>"


def _figure(name: str, image: bytes) -> str:
    data = base64.b64encode(image).decode()
    return f'<img alt="{escape(name)}" src="data:image/png;base64,{data}">'


def _decisions(record: Record) -> str:
    rows = [(_clock(record, d.at_seconds), d.service, d.action, d.reason, d.message) for d in sorted(record.decisions)]
    return _table(("time of the day", "service", "action", "reason", "why"), rows)


def _clock(record: Record, at_seconds: float) -> str:
    seconds = (at_seconds - record.started_at_seconds) * record.compression
    return datetime.fromtimestamp(max(seconds, 0.0), UTC).strftime("%H:%M")


def _table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = "".join(f"<th>{escape(h)}</th>" for h in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
