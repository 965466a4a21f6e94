"""What will be: from an irregular, gappy history to calibrated quantiles, and the reason for the method."""

from cynosure.forecast.fit import LEVELS, Horizon, fit_forecast

__all__ = ["LEVELS", "Horizon", "fit_forecast"]
