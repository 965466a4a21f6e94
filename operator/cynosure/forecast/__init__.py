"""What will be: from an irregular, gappy history to calibrated quantiles, and the reason for the methods."""

from cynosure.forecast.calibrate import LEVELS
from cynosure.forecast.fit import Horizon, Learner, fit_forecast
from cynosure.forecast.fleet import Worth, fleet_worth

__all__ = ["LEVELS", "Horizon", "Learner", "Worth", "fit_forecast", "fleet_worth"]
