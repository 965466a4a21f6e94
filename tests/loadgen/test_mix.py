"""Different requests in one load: each class has its share, its lengths and its own verdict."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from loadgen.errors import BadLoadInput
from loadgen.mix import Lengths, RequestClass, classes_from_json, read_mix
from loadgen.outcomes import Outcomes, Status, merge
from loadgen.populate import populated
from loadgen.report import report_of
from loadgen.schedule import Kind, Schedule
from loadgen.slo import Slo
from loadgen.users import Patience, Users
from tests.loadgen.builders import evenly
from tests.loadgen.server import TinyServer, serving
from tests.loadgen.test_command import replayed

CHAT = RequestClass("chat", 70, Lengths(300, 1500), Lengths(150, 600), Slo.parse("ttft_p95_ms=400"))
LONG = RequestClass("documents", 30, Lengths(8000, 30_000), Lengths(20, 20))
MIXED = Users(mix=(CHAT, LONG))
FILE = """
- {name: chat, weight: 70, inputTokens: {p50: 300, p95: 1500}, outputTokens: {p50: 150, p95: 600}, slo: ttft_p95_ms=400}
- {name: documents, weight: 30, inputTokens: {p50: 8000, p95: 30000}, outputTokens: {p50: 20, p95: 20}}
"""


def mixed(count: int = 20_000, seed: int = 7, users: Users = MIXED) -> Schedule:
    return populated(evenly(count, 60.0), users, seed)


def outcomes(schedule: Schedule, first_seconds: float | list[float] = 0.1) -> Outcomes:
    """All were answered, with the first token after so long."""
    first = np.zeros(len(schedule)) + first_seconds
    return Outcomes(
        schedule.send_at_seconds, 0 * first, first, first + 0.1, schedule.output_tokens, schedule.kind,
        np.zeros(len(schedule), np.int64), 60.0, "builtin", {"completion": "http://chat"}, {},
        classes=schedule.classes, request_class=schedule.request_class,
    )  # fmt: skip


def test_a_file_says_what_the_classes_are(tmp_path: Path) -> None:
    file = tmp_path / "mix.yaml"
    file.write_text(FILE)
    assert read_mix(file) == (CHAT, LONG)
    file.write_text(json.dumps([CHAT.to_json(), LONG.to_json()]))
    assert read_mix(file) == (CHAT, LONG)


def test_classes_have_their_shares_and_lengths() -> None:
    schedule = mixed()
    chats = schedule.request_class == 0
    assert chats.mean() == pytest.approx(0.7, abs=0.01)
    assert np.percentile(schedule.input_tokens[chats], [50, 95]) == pytest.approx([300, 1500], rel=0.06)
    assert np.percentile(schedule.input_tokens[~chats], [50, 95]) == pytest.approx([8000, 30_000], rel=0.06)
    assert set(schedule.output_tokens[~chats].tolist()) == {20}


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_same_seed_gives_the_same_mix_to_any_number_of_workers(workers: int) -> None:
    whole = mixed(1001)
    sent = Schedule.from_bytes(whole.to_bytes(), "a test")
    shards = [sent.shard(index, workers) for index in range(workers)]
    order = np.argsort(np.concatenate([shard.number for shard in shards]))
    for column in ("send_at_seconds", "request_class", "input_tokens", "output_tokens"):
        assert np.array_equal(np.concatenate([getattr(s, column) for s in shards])[order], getattr(whole, column))
    assert shards[0].classes == whole.classes
    assert not np.array_equal(whole.request_class, mixed(1001, seed=8).request_class)


def test_patience_changes_nothing_of_the_mix() -> None:
    hasty = mixed(users=replace(MIXED, patience=Patience(1.0)))
    assert np.array_equal(hasty.input_tokens, mixed().input_tokens)


def test_each_class_is_judged_by_its_own_slo_and_the_rest_by_that_of_the_replay() -> None:
    schedule = mixed(1000)
    chats = schedule.request_class == 0
    slow_documents = outcomes(schedule, np.where(chats, 0.1, 2.0).tolist())
    report = report_of(slow_documents, Slo.parse("ttft_p95_ms=3000"))
    assert report["verdict"]["met"]
    assert report["verdict"]["attainment"] == 1
    assert [(t["target"], t.get("class")) for t in report["verdict"]["targets"]] == [
        ("ttft_p95_ms=400", "chat"),
        ("ttft_p95_ms=3000", None),
    ]
    strict = report_of(slow_documents, Slo.parse("ttft_p95_ms=1000"))
    assert not strict["verdict"]["met"]
    assert strict["verdict"]["attainment"] == pytest.approx(chats.mean())
    assert strict["classes"]["chat"]["verdict"]["met"]
    assert strict["classes"]["documents"]["attainment"] == 0
    assert sum(each["offered"] for each in strict["classes"].values()) == 1000


def test_with_no_slo_at_all_the_others_must_succeed() -> None:
    schedule = mixed(100)
    found = outcomes(schedule)
    assert report_of(found, Slo())["verdict"]["met"]
    lost = np.where(schedule.request_class == 1, int(Status.TIMEOUT), 0)
    assert not report_of(replace(found, status=lost), Slo())["verdict"]["met"]


def test_classes_come_back_from_pods() -> None:
    schedule = mixed(101)
    told = [Outcomes.from_bytes(outcomes(schedule.shard(n, 2)).to_bytes(), "a test") for n in range(2)]
    whole = merge(told)
    assert np.array_equal(whole.request_class, schedule.request_class)
    assert report_of(whole, Slo()) == report_of(outcomes(schedule), Slo())


@pytest.mark.usefixtures("unsignalled")
async def test_a_mix_is_replayed_and_reported_by_class(tmp_path: Path) -> None:
    (tmp_path / "mix.yaml").write_text(FILE.replace("p50: 150, p95: 600", "p50: 2, p95: 4"))
    trace, report = tmp_path / "trace.csv", tmp_path / "report.json"
    trace.write_text("timestamp,input_tokens,output_tokens\n" + "".join(f"{n / 100},1,1\n" for n in range(40)))
    async with serving(TinyServer()) as server:
        command = ("--trace", trace, "--mix", tmp_path / "mix.yaml", "--seed", 3)
        await replayed(*command, "--target", server.url, "--prompt", "count", "--report", report)
        asked = sorted(body["prompt_tokens"] for body in server.bodies)
    told = json.loads(report.read_text())
    assert set(told["classes"]) == {"chat", "documents"}
    assert told["classes"]["chat"]["succeeded"] + told["classes"]["documents"]["succeeded"] == told["sent"] == 40
    assert asked[0] < 1000
    assert asked[-1] > 5000
    assert told["schedule"]["users"]["mix"][0]["slo"] == "ttft_p95_ms=400"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "1 to 16 classes"),
        ("a: [", "mix.yaml"),
        ("- {name: chat}", "write {name: chat"),
        (FILE + FILE, "is there twice"),
        (FILE.replace("weight: 70", "weight: 0"), "weight above 0"),
        (FILE.replace("p95: 1500", "p95: 15"), "p50 300 and p95 15"),
        (FILE.replace("ttft_p95_ms=400", "fast"), "METRIC_pNN_ms=LIMIT"),
        (FILE.replace("weight: 30", "weight: 30, patience: 3"), "patience is unknown"),
    ],
)
def test_a_file_that_cannot_be_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "mix.yaml").write_text(text)
    with pytest.raises(BadLoadInput, match=says) as error:
        read_mix(tmp_path / "mix.yaml")
    assert "\n" not in str(error.value)


def test_images_have_no_lengths_to_mix() -> None:
    with pytest.raises(BadLoadInput, match="classification"):
        populated(evenly(3, 1.0, kind=Kind.CLASSIFICATION), MIXED, 0)


def test_long_limits_survive_their_travels() -> None:
    day = replace(CHAT, slo=Slo.parse("e2e_p99.9_ms=86400000"))
    assert classes_from_json([day.to_json()]) == (day,)
