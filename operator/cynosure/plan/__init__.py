"""The one place where decisions are made: snapshot, forecasts and bounds become a plan. Pure."""

from cynosure.plan.cluster import Forecasts, plan_cluster
from cynosure.plan.tuning import Tuning

__all__ = ["Forecasts", "Tuning", "plan_cluster"]
