"""How carefully is planned; every number with its unit and its reason."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tuning:
    upscale_level: float = 0.9
    """Quantile of the forecast that replicas are sized for, unless much of the error budget is left."""
    downscale_level: float = 0.95
    """Quantile that must fit before replicas go: more than for adding, so that it does not flap."""
    lean_levels: tuple[float, float] = (0.5, 0.6)
    """The two quantiles of a service that has nearly its whole error budget left."""
    spending: tuple[float, float] = (0.25, 0.6)
    """Shares of the error budget spent up to which the lean levels apply, and from which the usual ones do."""
    budget_prior: float = 0.4
    """Share of the error budget that counts as spent before anything is known: between the two."""
    budget_prior_seconds: float = 3600.0
    """It counts as so long a past: a few minutes without a miss prove little."""
    stabilisation_seconds: float = 60.0
    """Replicas that were added stay so long, and a scale-down looks so far beyond the lead time, after which what was
    taken away too soon would be back: the band of the forecast holds replicas for what may come, not a fixed window."""
    pass_seconds: float = 15.0
    """A decision has to hold until the next pass has had its effect, so this is added to the lead time."""
    settle_seconds: float = 60.0
    """After metrics were absent they must be back for so long before anything is taken away."""
    correction_seconds: float = 60.0
    """A measured miss of the SLO adds a replica at most this often: the last one must have had its effect."""
    backlog_seconds: float = 30.0
    """Requests that wait now are to be gone after so long, or after the lead time where that is longer: until then
    nothing that is added helps. The rate for that is added to the demand."""
    latency_headroom: float = 0.95
    """Sizing aims at this part of a latency target: models err, and percentiles of short windows scatter."""
    switch_gain: float = 0.1
    """Another partition must be cheaper by this part, now and at the peak ahead, before a service changes to it."""
    most_down_share: float = 0.5
    """At most this part of the replicas goes in one pass, and at least one may."""
    rate_window_seconds: float = 60.0
    """Over which the present rate was measured."""
    surge_window_seconds: float = 30.0
    """Over which a jump is seen sooner."""
    surprise_deviations: float = 2.0
    """The present rate overrules the forecast when it is above it by more than so many standard deviations."""
    miss_tolerance: float = 0.1
    """A percentile over a window scatters around its target; a replica is added for what is this much above, or for
    more where a window should have few misses."""
