"""Every query of the adapter, against a real Prometheus: that it is PromQL, and that the numbers are right."""

import asyncio
import time

import pytest
from cynosure.forecast import Horizon, fit_forecast
from cynosure.model.service import Metric, Target
from cynosure.model.signals import AbsenceReason, Absent, Reading
from cynosure.observe import promql
from cynosure.observe.attainment import Attainment
from cynosure.observe.prometheus import Prometheus
from cynosure.observe.signals import Signals
from cynosure.settings import ForecastSettings

from tests.observe.conftest import RealPrometheus
from tests.observe.replay import CHAT, TTFT, Replay, load_when, settings, value

pytestmark = [pytest.mark.api_server, pytest.mark.timeout(60)]


async def test_a_load_is_read_and_its_absence_is_told_from_zero(prometheus: RealPrometheus) -> None:
    signals = Signals(Prometheus(settings(prometheus.url)), settings(prometheus.url), time.time, lambda: [TTFT])
    missing = await load_when(signals, lambda load: True)
    assert missing.absent
    assert missing.absent.reason is AbsenceReason.MISSING

    replay = asyncio.create_task(Replay(prometheus.engines, 20).run())
    await load_when(signals, lambda load: load.absent is None)
    await asyncio.sleep(settings("").rate_window_seconds)  # until the window is full
    load = await load_when(signals, lambda load: isinstance(load.latency[0][1], Reading))
    replay.cancel()
    assert value(load.arrival_rps) == pytest.approx(20, rel=0.25)
    assert value(load.surge_rps) == pytest.approx(20, rel=0.4), "fewer scrapes scatter more"
    assert value(load.input_tokens) == pytest.approx(500, rel=0.01)
    assert value(load.output_tokens) == pytest.approx(100, rel=0.01)
    assert (value(load.running), value(load.waiting)) == (3.0, 1.0)
    assert value(load.latency[0][1]) == pytest.approx(190, abs=10)
    assert isinstance(load.running, Reading)
    assert time.time() - load.running.at_seconds < 2.0

    idle = await load_when(signals, lambda load: isinstance(load.arrival_rps, Reading) and load.arrival_rps.value == 0)
    assert value(idle.input_tokens) == pytest.approx(500, rel=0.05), "the last hours know the lengths"
    assert isinstance(idle.latency[0][1], Absent), "without traffic there is no latency"

    prometheus.engines.lines = None
    gone = await load_when(signals, lambda load: load.absent is not None)
    assert gone.absent
    assert gone.absent.reason in (AbsenceReason.MISSING, AbsenceReason.STALE)

    prometheus.process.kill()
    await prometheus.process.wait()
    down = await load_when(signals, lambda load: True)
    assert down.absent == Absent(AbsenceReason.ERROR, f"{prometheus.url}: no connection")


async def test_history_becomes_a_forecast(prometheus: RealPrometheus) -> None:
    metrics = Prometheus(settings(prometheus.url))
    replay = asyncio.create_task(Replay(prometheus.engines, 20).run())
    async with asyncio.timeout(20):  # Prometheus takes five seconds to discover even static targets
        while True:
            now = time.time()
            found = await metrics.range(promql.history(2.0, "shop", "chat"), now - 60, now, 0.5)
            if found and len(found[0][1]) > 6:
                break
            await asyncio.sleep(0.5)
    replay.cancel()
    forecast = fit_forecast(found[0][1], now, Horizon(0.5, 10, 60))
    assert forecast is not None
    assert forecast.peak_rps(0.5, now, now + 5) == pytest.approx(20, rel=0.5)


async def test_what_was_within_a_target_is_counted_step_by_step(prometheus: RealPrometheus) -> None:
    """Half of the first tokens within 0.1 s and the rest within 0.2 s: three quarters within 0.15 s."""
    targets = {CHAT: (Target(Metric.TTFT, 95.0, 150.0),)}
    chosen = ForecastSettings(season_seconds=20.0, step_seconds=2.0)
    attainment = Attainment(Prometheus(settings(prometheus.url)), chosen, time.time, lambda: targets)
    await attainment.refresh()
    assert attainment.of(CHAT) == (), "nothing is known, which is not that nothing was missed"
    replay = asyncio.create_task(Replay(prometheus.engines, 20).run())
    async with asyncio.timeout(30):
        while not (known := attainment.of(CHAT)) or known[0].requests < 100:
            await asyncio.sleep(0.5)
            await attainment.refresh()
    replay.cancel()
    assert known[0].requests == pytest.approx(100, abs=45), "each step is counted once"
    assert known[0].within == pytest.approx(0.75 * known[0].requests, rel=0.05)
    prometheus.process.kill()
    await prometheus.process.wait()
    await asyncio.sleep(2)
    await attainment.refresh()
    assert attainment.of(CHAT)[0].requests > 0, "what is known stays for a season"
    targets.clear()
    await attainment.refresh()
    assert attainment.of(CHAT) == ()


async def test_hostile_names_stay_names(prometheus: RealPrometheus) -> None:
    metrics = Prometheus(settings(prometheus.url))
    hostile = 'chat"} or vector(1) or up{x="'
    assert await metrics.range(promql.history(60, "shop", hostile), time.time() - 10, time.time(), 1) == []
    assert await metrics.range(promql.history(60, "sh\\op", "a\nb"), time.time() - 10, time.time(), 1) == []
