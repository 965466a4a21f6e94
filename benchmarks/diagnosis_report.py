"""The figures of bench_diagnosis in one line, for its last line and for the page of the benchmarks."""

from collections.abc import Mapping, Sequence
from typing import Any


def diagnosis_headline(answer: Mapping[str, Any]) -> str:
    rows = list(answer["scores"].values())
    total = sum(score["cases"] for score in rows)

    def share(name: str) -> float:
        return sum(score[name] * score["cases"] for score in rows) / total

    return (
        f"{answer['faults']} kinds of faults, {total} cases: right cause first {share('cause_right'):.1%}, right fix "
        f"{share('fix_right'):.1%} (plain alerts: {share('alert_right'):.1%}); {_false_alarms(answer['weeks'])}"
    )


def _false_alarms(weeks: Sequence[Mapping[str, Any]]) -> str:
    """No week is not zero alarms."""
    if not weeks:
        return "false alarms: no healthy week was watched in this run"
    per_week, of_alerts = (sum(week[name] for week in weeks) / len(weeks) for name in ("alarms", "alarms_of_alerts"))
    told = f"false alarms in a healthy service-week: {per_week:.2f} over {len(weeks)} weeks"
    return f"{told} (plain alerts: {of_alerts:.1f})"
