"""The page of a report stands alone, shows what was measured, and shows nothing as code."""

from dataclasses import replace
from html.parser import HTMLParser

import numpy as np

from loadgen.comparison import compare
from loadgen.outcomes import Outcomes, Status
from loadgen.page import page_of
from loadgen.report import report_of
from loadgen.slo import Slo

SLO = Slo.parse("e2e_p95_ms=100")


def outcomes(latency_seconds: float, status: int = Status.SUCCEEDED) -> Outcomes:
    count = 50
    latency = np.full(count, latency_seconds if status == Status.SUCCEEDED else np.nan)
    zeros, lag = np.zeros(count, np.int64), np.full(count, 0.001)
    where = {"completion": "http://127.0.0.1/v1/completions?<b>"}
    made = {"trace": "<script>alert(1)</script>.csv", "seed": 1}
    return Outcomes(np.arange(count) / 5, lag, latency, latency, zeros, zeros, zeros + status, 10.0, "", where, made)


class Seen(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_stands_alone_and_escapes_what_it_is_told() -> None:
    one = outcomes(0.05)
    seen = Seen(page_of([one], [report_of(one, SLO)]))
    assert (seen.links, "script" in seen.tags, "b" in seen.tags) == ([], False, False)
    assert "<script>alert(1)</script>.csv" in seen.text
    assert "SLO met: 100.00% attained" in seen.text
    assert (seen.tags.count("svg"), seen.tags.count("polyline")) == (2, 3)
    assert seen.tags.count("rect") == 50, "each at its own time, all equally long"


def test_a_page_of_two_compares_them() -> None:
    both = [outcomes(0.05), outcomes(0.5)]
    reports = [report_of(each, SLO) for each in both]
    reports[0]["comparison"] = compare(*both, SLO)
    text = Seen(page_of(both, reports)).text
    assert "The first attains +100.00% more than the second" in text
    assert "SLO missed: 0.00% attained" in text


def test_a_page_of_failures_has_no_heat_map() -> None:
    none = replace(outcomes(0.05, Status.CONNECTION), targets={"completion": "http://127.0.0.1/v1/completions"})
    seen = Seen(page_of([none], [report_of(none, Slo())]))
    assert seen.tags.count("svg") == 1
    assert "connection 50" in seen.text
