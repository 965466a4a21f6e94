"""A pass as metrics: what a dashboard shows of forecasts, and that nothing of a service lives on after it."""

from dataclasses import replace

from cynosure.model.bounds import Bounds
from cynosure.model.forecast import Forecast
from cynosure.plan import plan_cluster
from cynosure.reconcile.report import Reporter
from cynosure.reconcile.result import PassResult
from cynosure.telemetry import Telemetry

from tests.builders.snapshots import CHAT, forecast, observation, snapshot

CHAT_LABELS = f'exported_namespace="{CHAT.namespace}",exported_service="{CHAT.name}"'


def passed(*forecasts: Forecast) -> PassResult:
    known = dict.fromkeys((CHAT,), *forecasts) if forecasts else {}
    there = snapshot(observation(2))
    return PassResult(there, known, Bounds(), plan_cluster(there, known, Bounds()))


def rendered(*results: PassResult) -> str:
    telemetry = Telemetry()
    reporter = Reporter(telemetry)
    for result in results:
        reporter.report(result)
    return telemetry.render().decode()


def test_a_forecast_tells_its_error_its_method_and_its_coverage() -> None:
    text = rendered(passed(replace(forecast(4.0), backtest_coverage=0.91)))
    assert f'cynosure_forecast_wape{{{CHAT_LABELS},method="test"}} 0.1' in text
    assert f"cynosure_forecast_coverage{{{CHAT_LABELS}}} 0.91" in text


def test_what_could_not_be_judged_is_no_series() -> None:
    text = rendered(passed(replace(forecast(4.0), backtest_wape=None)))
    assert "cynosure_forecast_wape{" not in text
    assert "cynosure_forecast_coverage{" not in text


def test_a_forecast_that_is_gone_leaves_no_series() -> None:
    text = rendered(passed(replace(forecast(4.0), backtest_coverage=0.91)), passed())
    assert f"cynosure_arrival_rps{{{CHAT_LABELS}}} 4.0" in text
    assert "cynosure_forecast_coverage{" not in text
