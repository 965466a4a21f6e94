"""Service times: the law that is found again, what the residual adds, and the batch that a load settles at."""

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from cynosure.model.signals import Floats
from cynosure.size.kriging import Kriging
from cynosure.size.service_time import ServiceTime, Work, prefill_terms, running_batch, step_terms
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.slow


def some_work(count: int, seed: int = 1) -> Work:
    random = np.random.default_rng(seed)
    batch, inputs, outputs = (
        np.exp(random.uniform(*np.log(span), count)) for span in ((1, 256), (50, 4000), (20, 800))
    )
    return Work.plain(batch, inputs, outputs)


def law(work: Work) -> Floats:
    """10 ms for the weights, 50 us a request, 0.2 us a cached token, 20 us a prompt token."""
    return step_terms(work) @ np.array([1e-2, 5e-5, 2e-7, 2e-5, 0, 0, 0])


def fit(work: Work, seconds: Floats) -> ServiceTime:
    return ServiceTime.fit(step_terms(work), work.places(), seconds)


def test_the_law_is_found_again() -> None:
    work, new = some_work(60), some_work(40, seed=2)
    found, _ = fit(work, law(work)).seconds(step_terms(new), new.places())
    assert found == pytest.approx(law(new), rel=1e-3)


def test_what_the_law_does_not_say_is_interpolated() -> None:
    """Compute saturates above a batch of 64: a corner that no sum of the terms has."""

    def bent(work: Work) -> Floats:
        return np.asarray(law(work) * np.maximum(1, work.batch / 64) ** 0.5)

    work, new = some_work(80), some_work(40, seed=2)
    model = fit(work, bent(work))
    found, _ = model.seconds(step_terms(new), new.places())
    by_law = np.abs(model.law_seconds(step_terms(new)) / bent(new) - 1)
    assert np.median(np.abs(found / bent(new) - 1)) < 0.5 * np.median(by_law)


def test_the_stated_deviation_holds_for_new_runs_and_grows_away_from_the_measured() -> None:
    random = np.random.default_rng(3)
    work, new = some_work(100), some_work(150, seed=2)
    noisy = [law(w) * np.exp(random.normal(0, 0.05, len(w.batch))) for w in (work, new)]
    model = fit(work, noisy[0])
    found, deviation = model.seconds(step_terms(new), new.places())
    inside = np.abs(np.log(noisy[1] / found)) <= 1.645 * deviation
    assert 0.82 <= inside.mean() <= 0.98
    far = Work.plain(np.array([4096.0]), np.array([1e6]), np.array([1e5]))
    assert model.seconds(step_terms(far), far.places())[1][0] > 1.2 * np.median(deviation)


@settings(max_examples=40, deadline=None)
@given(count=st.integers(3, 30), seed=st.integers(0, 10_000), noise=st.floats(0, 0.5))
def test_times_are_positive_and_no_term_makes_work_faster(count: int, seed: int, noise: float) -> None:
    random, work = np.random.default_rng(seed), some_work(count, seed)
    model = fit(work, law(work) * np.exp(random.normal(0, noise, count)))
    assert (model.weights >= 0).all()
    new = some_work(20, seed + 1)
    seconds, deviation = model.seconds(step_terms(new), new.places())
    assert np.isfinite(seconds).all()
    assert (seconds > 0).all()
    assert (deviation >= 0).all()


def test_prefill_grows_faster_than_the_prompt() -> None:
    work = Work.plain(np.ones(6), np.array([128.0, 512, 1024, 2048, 4096, 8192]), np.ones(6))
    seconds = 0.01 + 1e-4 * work.input_tokens + 1e-8 * work.input_tokens**2
    model = ServiceTime.fit(prefill_terms(work), work.places(), seconds)
    assert model.weights == pytest.approx([0.01, 1e-4, 1e-8], rel=1e-3)


@given(rate=st.floats(0.1, 5000), most=st.integers(1, 512))
def test_a_batch_is_in_equilibrium_or_full(rate: float, most: int) -> None:
    def step(batch: Floats) -> Floats:
        return 0.01 + 0.0005 * batch

    (batch,) = running_batch(step, np.array([rate]), np.array([float(most)]))
    settled = rate * 0.01 / (1 - 0.0005 * rate) if rate < 1700 else np.inf
    assert batch <= most
    if settled < most:
        assert batch == pytest.approx(settled, rel=0.01)
    elif rate >= 2000:
        assert batch == most


def test_a_measured_place_keeps_its_value_and_a_far_one_knows_nothing() -> None:
    places, values = np.array([[0.0], [1.0], [2.0], [3.0], [4.0]]), np.array([0.1, 0.4, -0.2, 0.3, 0.0])
    found = Kriging.fit(places, values)
    near, far = found.at(places), found.at(np.array([[1e4]]))
    assert np.abs(near[0] - values).max() < np.abs(values).max()
    assert far[0] == pytest.approx(0, abs=1e-9)
    assert far[1] > near[1].max()


@pytest.fixture
def bench(repository: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    return importlib.import_module("bench_sizing")


@pytest.mark.usefixtures("shared_data")
def test_half_of_the_measured_runs_predicts_the_other_half(bench: ModuleType) -> None:
    for rows, median, p90 in ((bench.small_models(), 0.02, 0.05), (bench.splitwise("token_time"), 0.02, 0.06)):
        errors = bench.held_out(bench.grouped(rows))
        assert errors["median"] < median
        assert errors["p90"] < p90
