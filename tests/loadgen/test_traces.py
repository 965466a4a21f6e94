"""Public traces are named with their terms, fetched only when asked and only whole; a file tells what it is like."""

import argparse
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest

from loadgen import traces_command
from loadgen.catalogue import TRACES, PublicTrace
from loadgen.errors import BadLoadInput
from loadgen.readers import read_trace
from loadgen.statistics import plot, statistics
from loadgen.trace import RateSeries, RequestTrace, rate_series
from tests.loadgen.builders import Write

CONTENT = b"timestamp,input_tokens,output_tokens\n0,5,1\n30,7,3\n60,9,2\n"
TRACE = PublicTrace(
    "tiny", "Tiny", "3 requests", "CC0", "nobody", "http://localhost/", sha256=hashlib.sha256(CONTENT).hexdigest()
)


def invoke(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    traces_command.register(parser.add_subparsers())
    parsed = parser.parse_args(["traces", *map(str, arguments)])
    return int(parsed.run(parsed))


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PublicTrace]:
    """Publish one trace on a server of its own, and let the catalogue hold nothing else."""
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / "tiny.csv").write_bytes(CONTENT)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    trace = replace(TRACE, url=f"http://127.0.0.1:{server.server_port}/tiny.csv")
    monkeypatch.setattr("loadgen.catalogue.TRACES", (trace,))
    monkeypatch.chdir(tmp_path)
    yield trace
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_trace_is_fetched_checked_and_readable(published: PublicTrace, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke("get", "tiny", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"trace": "tiny", "file": "tiny.csv", "size_bytes": len(CONTENT), "checked": True}
    assert isinstance(read_trace(Path("tiny.csv")), RequestTrace)
    with pytest.raises(BadLoadInput, match="is there already"):
        invoke("get", "tiny")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"sha256": "0" * 64}, "nothing is kept"),
        ({"page": "http://localhost/moved", "url": "/gone.csv"}, "HTTP 404; look at http://localhost/moved"),
        ({"url": ""}, "fetch it there by hand"),
        ({"name": "other"}, "'cynosure traces list'"),
    ],
    ids=["another file", "gone", "by hand", "unknown"],
)
def test_what_is_not_what_was_published_is_not_kept(
    published: PublicTrace, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], says: str
) -> None:
    if change.get("url"):
        change = {**change, "url": published.url.replace("/tiny.csv", change["url"])}
    monkeypatch.setattr("loadgen.catalogue.TRACES", (replace(published, **change),))
    with pytest.raises(BadLoadInput) as refused:
        invoke("get", "tiny", "--to", "fetched.csv")
    assert says in str(refused.value)
    assert [path.name for path in Path.cwd().iterdir()] == ["published"]


def test_the_list_names_terms_and_asks_nobody(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("nothing is fetched unasked"))
    assert invoke("list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(TRACES)
    assert invoke("list", "--json") == 0
    for trace in json.loads(capsys.readouterr().out):
        assert all(trace[key] for key in ("name", "title", "holds", "licence", "cite", "page"))
        assert trace["url"].startswith("https://") or not trace["url"]
    assert invoke("show", "servegen") == 0
    assert "Apache-2.0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("azure-llm-2023-code", "azure_llm_2023/AzureLLMInferenceTrace_code.csv"),
        ("mooncake-conversation", "mooncake/conversation_trace.jsonl.gz"),
        ("nasa-1995", "web_traffic_1998_1995/nasa.csv.gz"),
    ],
)
def test_checksums_are_of_the_files_as_published(shared_data: Path, name: str, file: str) -> None:
    import gzip

    content = (shared_data / file).read_bytes()
    content = gzip.decompress(content) if file.endswith(".gz") else content
    (trace,) = (trace for trace in TRACES if trace.name == name)
    assert (trace.size_bytes, trace.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_a_file_tells_what_it_is_like(write_trace: Write, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_trace(CONTENT.decode())
    assert invoke("show", file, "--json") == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (said["form"], said["requests"], said["duration_seconds"]) == ("requests", 3, pytest.approx(60))
    assert said["mean_rps"] == pytest.approx(0.05)
    assert said["input_tokens"]["p50"] == 7
    assert said["output_tokens"]["mean"] == 2
    assert invoke("show", file) == 0
    assert "█" in capsys.readouterr().out


def test_statistics_of_rates_can_be_checked_by_hand() -> None:
    said = statistics(rate_series(np.array([0.0, 60, 120, 240]), np.array([1.0, 3, np.nan, 8]), "made", cv=2.5))
    assert said["duration_seconds"] == 300
    assert said["gap_seconds"] == 120
    assert said["mean_rps"] == pytest.approx(4)
    assert (said["peak_rps"], said["peak_to_mean"]) == (8, 2)
    assert said["rate_cv"] == pytest.approx(np.std([1, 3, 8]) / 4)
    assert said["interval_cv"] == 2.5
    assert (said["requests"], said["input_tokens"]) == (None, None)


def test_a_plot_has_the_height_of_the_rate_and_dots_where_it_is_missing() -> None:
    series = RateSeries(np.array([0.0, 20]), np.array([10.0, 30]), np.array([4.0, 8]), 0.0, 40.0, "made")
    top, bottom, foot = plot(series, width=8, height=2).splitlines()
    assert top.endswith("    ██  ")
    assert bottom.endswith("██··██··")
    assert foot.endswith("40 s")


def test_a_name_that_is_nothing_says_what_is() -> None:
    with pytest.raises(BadLoadInput, match="cynosure traces list"):
        invoke("show", "absent.csv")
