"""Images before a deadline: against brute force, at the border, at 64 GPUs, and from a shell."""

import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from cynosure.errors import BadInput
from cynosure.size.deadline import ImageGpu, Share, earliest_seconds, fewest_gpus, most_images
from hypothesis import given, settings
from hypothesis import strategies as st

Size = Callable[..., int]


def gpu(latency: tuple[float, float], warmup: tuple[float, float], minibatch: int, runs: int) -> ImageGpu:
    return ImageGpu(latency_seconds=latency, warmup_seconds=warmup, max_minibatch=minibatch, max_runs=runs)


tenths = st.integers(0, 15).map(lambda n: n / 10)
"""Times of few digits reach the deadline exactly again and again, which floats alone get wrong."""
times = st.one_of(st.tuples(tenths, tenths), st.tuples(st.floats(0, 2), st.floats(0, 1)))
some_gpus = st.lists(st.builds(gpu, times, times, st.integers(1, 3), st.integers(0, 3)), min_size=1, max_size=3)
deadlines = st.one_of(st.integers(1, 60).map(lambda n: n / 10), st.floats(0.1, 6))


def ways(gpu: ImageGpu) -> Iterator[tuple[int, Fraction]]:
    """Everything one GPU may do, in exact arithmetic on the decimals as written: images and seconds."""
    yield 0, Fraction(0)
    (c, d), (a, b) = ([Fraction(repr(x)) for x in pair] for pair in (gpu.warmup_seconds, gpu.latency_seconds))
    for m, t in product(range(1, gpu.max_minibatch + 1), range(gpu.max_runs + 1)):
        yield (t + 1) * m, c + d * m + t * (a + b * m)


def in_time(gpus: list[ImageGpu], deadline: float) -> list[tuple[int, int, Fraction]]:
    """All answers of the integer programs: GPUs used, images, seconds."""
    limit = Fraction(repr(deadline))
    each = [[(n, s) for n, s in ways(gpu) if s <= limit] for gpu in gpus]
    return [(sum(n > 0 for n, _ in way), sum(n for n, _ in way), max(s for _, s in way)) for way in product(*each)]


def check(shares: tuple[Share, ...], gpus: list[ImageGpu], deadline: float) -> None:
    assert [s.index for s in shares] == sorted({s.index for s in shares})
    for share in shares:
        of = gpus[share.index]
        assert 1 <= share.minibatch <= of.max_minibatch
        assert 0 <= share.runs <= of.max_runs
        assert share.seconds <= deadline
        (c, d), (a, b) = of.warmup_seconds, of.latency_seconds
        assert share.seconds == pytest.approx(c + d * share.minibatch + share.runs * (a + b * share.minibatch))


@settings(max_examples=100, deadline=None)
@given(gpus=some_gpus, deadline=deadlines)
def test_no_other_choice_does_more_images(gpus: list[ImageGpu], deadline: float) -> None:
    shares = most_images(gpus, deadline)
    check(shares, gpus, deadline)
    assert sum(share.images for share in shares) == max(images for _, images, _ in in_time(gpus, deadline))


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(gpus=some_gpus, deadline=deadlines, images=st.integers(1, 36))
def test_no_other_choice_needs_fewer_gpus_and_none_of_as_many_ends_earlier(
    gpus: list[ImageGpu], deadline: float, images: int
) -> None:
    enough = [(used, seconds) for used, done, seconds in in_time(gpus, deadline) if done >= images]
    shares = fewest_gpus(gpus, images, deadline)
    if not enough:
        assert shares is None
        return
    assert shares is not None
    check(shares, gpus, deadline)
    used, seconds = min(enough)
    assert len(shares) == used
    assert sum(share.images for share in shares) >= images
    assert max(share.seconds for share in shares) == pytest.approx(float(seconds), rel=1e-5)


@settings(max_examples=50, deadline=None)
@given(gpus=some_gpus, images=st.integers(1, 36))
def test_the_time_said_to_be_enough_is_enough_and_the_least(gpus: list[ImageGpu], images: int) -> None:
    seconds = earliest_seconds(gpus, images)
    if seconds is None:
        assert sum(max(n for n, _ in ways(gpu)) for gpu in gpus) < images
    elif seconds > 1e-6:
        assert fewest_gpus(gpus, images, seconds) is not None
        assert fewest_gpus(gpus, images, 0.9999 * seconds) is None


@pytest.mark.parametrize(
    ("of", "deadline", "runs"),
    [
        (gpu((0.1, 0), (0.1, 0), 1, 100), 0.3, 2),
        (gpu((0.1, 0), (0.1, 0), 1, 100), 0.7, 6),
        (gpu((0.01, 0), (0, 0), 1, 10_000), 0.29, 29),
        (gpu((0.1, 0), (0.1, 0), 1, 100), 0.29999999999, 1),
        (gpu((0, 0), (1, 0), 1, 7), 1.0, 7),
    ],
    ids=["0.1 + 2 x 0.1 <= 0.3", "0.1 + 6 x 0.1 <= 0.7", "29 x 0.01 <= 0.29", "just short", "no time at all"],
)
def test_a_deadline_that_is_reached_exactly_is_met(of: ImageGpu, deadline: float, runs: int) -> None:
    (share,) = most_images([of], deadline)
    assert (share.runs, share.seconds <= deadline) == (runs, True)


def test_work_that_one_gpu_does_is_done_as_early_as_it_can() -> None:
    """A large mini-batch in the warm-up alone would reach the deadline; runs of a smaller one are done in 3 s."""
    of = gpu((0.1, 0.01), (1.0, 0.1), 90, 100)
    (share,) = fewest_gpus([of], 90, 10.0) or ()
    assert share.images >= 90
    assert share.seconds < 4


def test_of_sixty_four_different_gpus_the_fewest_are_used() -> None:
    random = np.random.default_rng(1)
    gpus = [
        gpu(
            (random.uniform(0.001, 0.1), random.uniform(0.0001, 0.01)),
            (random.uniform(0.1, 5), random.uniform(0, 0.1)),
            int(random.integers(1, 512)),
            10_000,
        )
        for _ in range(64)
    ]
    each = sorted((share.images for share in most_images(gpus, 60.0)), reverse=True)
    half = sum(each) // 2
    used = fewest_gpus(gpus, half, 60.0) or ()
    assert sum(share.images for share in used) >= half
    assert sum(each[: len(used) - 1]) < half, "not even the fastest are enough with one less"


GPUS = [
    {"latency_seconds": [0.01, 0.002], "warmup_seconds": [1, 0.01], "max_minibatch": 64, "max_runs": 1000},
    {"latency_seconds": [0.02, 0.001], "warmup_seconds": [2, 0.01], "max_minibatch": 128, "max_runs": 50},
]


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "gpus.json"
    path.write_text(json.dumps(GPUS))
    return str(path)


@pytest.mark.parametrize(
    ("options", "code", "used"),
    [((), 0, 2), (("--images", "5900"), 0, 1), (("--images", "7000"), 0, 2), (("--images", "20000"), 1, 0)],
    ids=["most", "one is enough", "two are needed", "too many"],
)
def test_the_answer_keeps_the_contract(
    size: Size, file: str, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], code: int, used: int
) -> None:
    assert size("images", "--gpus", file, "--deadline-seconds", "10", *options, "--json") == code
    answer = json.loads(capsys.readouterr().out)
    assert {"gpus", "gpus_used", "images", "seconds", "optimal", "solve_seconds"} <= set(answer)
    assert answer["gpus_used"] == len(answer["gpus"]) == used
    assert answer["images"] == sum((g["runs"] + 1) * g["minibatch"] for g in answer["gpus"])
    assert answer["seconds"] <= 10
    assert answer["optimal"] == (code == 0)


@pytest.mark.parametrize(
    ("images", "told"),
    [
        ("20000", "2 GPUs do at most 9851 images in 10 s, not 20000; that takes them"),
        ("99999999", "max_minibatch and max_runs allow no more in any time, so add GPUs"),
    ],
    ids=["too little time", "too few runs"],
)
def test_what_cannot_be_done_says_what_can(
    size: Size, file: str, capsys: pytest.CaptureFixture[str], images: str, told: str
) -> None:
    assert size("images", "--gpus", file, "--deadline-seconds", "10", "--images", images) == 1
    assert told in capsys.readouterr().out


def one(**changes: object) -> str:
    return json.dumps([GPUS[0] | changes])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (one(latency_seconds=[1]), "latency_seconds"),
        (one(warmup_seconds=[-1, 1]), "warmup_seconds"),
        (one(latency_seconds=[1, float("nan")]), "finite"),
        (one(max_minibatch=0), "max_minibatch"),
        (one(max_runs=1.5), "max_runs"),
        ("[]", "an empty list"),
        ("{", "not JSON"),
        ("7", "valid tuple"),
    ],
    ids=["half a pair", "negative", "not a number", "no mini-batch", "half a run", "no GPU", "not JSON", "not a list"],
)
def test_a_gpu_list_that_is_none_is_one_clear_line(size: Size, tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "gpus.json"
    path.write_text(text)
    with pytest.raises(BadInput, match=r"^[^\n]*gpus\.json[^\n]*$") as refused:
        size("images", "--gpus", str(path), "--deadline-seconds", "10")
    assert told in str(refused.value)


@pytest.mark.parametrize(
    "options",
    [("--deadline-seconds", "0"), ("--deadline-seconds", "nan"), ("--deadline-seconds", "9", "--images", "0")],
    ids=["no time", "not a number", "no images"],
)
def test_an_option_out_of_its_range_names_its_limit(size: Size, file: str, options: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match=r"^--(deadline-seconds|images): got \S+; must be [^\n]+$"):
        size("images", "--gpus", file, *options)
