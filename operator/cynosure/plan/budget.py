"""How careful to be: a service that misses less than its SLO allows pays for reserve that nobody asked for.

The error budget of an SLO is the share of requests that may miss it (Beyer et al., Site Reliability Engineering, 2016,
chapter 3). Which quantile of the forecast spends just that cannot be known beforehand: it depends on how loads jump
and how well the forecast is calibrated. So the quantile follows what was spent over the last day. It does so downwards
only: what is missed in spite of the usual quantile are jumps that no forecast tells, and a higher one costs much and
saves little.
"""

import numpy as np

from cynosure.model.service import Target
from cynosure.model.signals import Load, Reading
from cynosure.plan.tuning import Tuning

_FEWEST_REQUESTS = 1000.0


def levels(spent: float | None, tuning: Tuning) -> tuple[float, float]:
    """Return the quantiles to scale up and to scale down by; the usual ones where what was spent is not known."""
    usual = (tuning.upscale_level, tuning.downscale_level)
    if spent is None:
        return usual
    pairs = zip(tuning.lean_levels, usual, strict=True)
    up, down = (float(np.interp(spent, tuning.spending, pair)) for pair in pairs)
    return up, down


def spent_share(load: Load, targets: tuple[Target, ...], tuning: Tuning) -> float | None:
    """Return the share of the error budget that was spent, shrunk towards the prior one where requests are few.

    None where one of the ``targets`` has no past, as after it was changed. A request may miss several targets; that
    each missed another is the most that it can have been.
    """
    past = {one.target: one for one in load.attained}
    if not targets or any(target not in past or past[target].requests <= 0 for target in targets):
        return None
    each = [past[target] for target in targets]
    spent = sum((1 - one.within / one.requests) / (1 - one.target.objective) for one in each)
    rps = load.arrival_rps.value if isinstance(load.arrival_rps, Reading) else 0.0
    prior = max(rps * tuning.budget_prior_seconds, _FEWEST_REQUESTS)
    requests = min(one.requests for one in each)
    return (spent * requests + tuning.budget_prior * prior) / (requests + prior)
