"""Forecasts of a fleet: who has long been here lends to who is new."""

import numpy as np
from cynosure.model.service import ServiceKey
from cynosure.model.signals import Series
from cynosure.observe.prometheus import Labels, Sample
from cynosure.reconcile.forecasting import Forecaster
from cynosure.settings import ForecastSettings

NOW = 1_700_000_000.0
SEASON_SECONDS = 7200.0
SETTINGS = ForecastSettings(season_seconds=SEASON_SECONDS, step_seconds=60, horizon_seconds=600)


class History:
    """Load around ten requests a second, known since ``seconds`` ago by the name of the service."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds = seconds

    async def instant(self, query: str) -> list[Sample]:
        raise AssertionError(f"a history is a range, and this asks for one moment: {query}")

    async def range(
        self, query: str, from_seconds: float, until_seconds: float, step_seconds: float
    ) -> list[tuple[Labels, Series]]:
        (name,) = (name for name in self._seconds if f'"{name}"' in query)
        times = np.arange(max(from_seconds, until_seconds - self._seconds[name]), until_seconds + 1, step_seconds)
        return [({}, Series(times, np.random.default_rng(len(name)).normal(10, 2, len(times))))]


async def test_a_new_service_goes_by_what_the_others_found_and_without_others_by_the_last_value() -> None:
    old = [ServiceKey("shop", f"old-{n}") for n in range(5)]
    new = ServiceKey("shop", "new")
    metrics = History({key.name: 3 * SEASON_SECONDS for key in old} | {"new": 120.0})
    forecaster = Forecaster(metrics, SETTINGS, lambda: NOW, lambda: [*old, new], rate_window_seconds=60)
    await forecaster.refit([new])
    assert "last value" in forecaster.latest()[new].reason
    await forecaster.refit(old)
    await forecaster.refit([new])
    assert "as other services found" in forecaster.latest()[new].reason
