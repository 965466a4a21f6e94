"""What will be: from an irregular, gappy history to calibrated quantiles, and the reason for the methods."""

from cynosure.forecast.calibrate import LEVELS
from cynosure.forecast.fit import Horizon, Learner, fit_forecast

__all__ = ["LEVELS", "Horizon", "Learner", "fit_forecast"]
