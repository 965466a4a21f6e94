"""The numbers of the demo, all in one place."""

from dataclasses import dataclass

DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Served:
    """One of the two services: the names of its InferenceService, of the model that it serves, and of its profile."""

    service: str
    model: str
    profile: str


CHAT = Served("chat", "code-assistant", "opt-1.3b")
VISION = Served("vision", "image-classifier", "resnet-152")
SERVED = {served.service: served for served in (CHAT, VISION)}


@dataclass(frozen=True, slots=True)
class Scenario:
    """A day of the trace replayed in ``day_seconds`` of real time; every season shrinks with it."""

    namespace: str = "shop"
    system_namespace: str = "cynosure-system"
    day_seconds: float = 600.0
    history_days: int = 5
    chat_peak_rps: float = 24.0
    vision_peak_rps: float = 20.0
    step_seconds: float = 5.0
    seed: int = 7
    sentence: str = "keep chat's p95 time to first token under 300 ms and never use more than 4 GPUs"
    asked_ttft_milliseconds: float = 300.0
    """What the sentence asks of chat; static provisioning has to give it from then on, too."""
    ask_at: float = 0.45
    """Share of the day that has passed when the sentence is said."""

    latency_headroom: float = 0.8
    """Lower than the default: two cores that play a whole cluster add latency of their own to the engines."""

    @property
    def compression(self) -> float:
        return DAY_SECONDS / self.day_seconds

    def settings(self) -> dict[str, float]:
        """Return the operator's settings for a day that is so short; the defaults are for one of 24 hours."""
        step = self.step_seconds
        return {
            "SEASON_SECONDS": self.day_seconds,
            "HISTORY_SECONDS": self.history_days * self.day_seconds,
            "HORIZON_SECONDS": 24 * step,
            "STEP_SECONDS": step,
            "REFIT_SECONDS": 2 * step,
            "SIGNAL_SECONDS": step / 2,
            "RATE_WINDOW_SECONDS": 2 * step,
            "TOKEN_WINDOW_SECONDS": 24 * step,
            "STALE_AFTER_SECONDS": 3 * step,
            "RESYNC_SECONDS": step / 2,
            "STATUS_SECONDS": step / 2,
            "STABILISATION_SECONDS": 8 * step,
            "SETTLE_SECONDS": 3 * step,
            "CORRECTION_SECONDS": 4 * step,
            "BACKLOG_SECONDS": 3 * step,
            "VERIFY_GRACE_SECONDS": 5 * step,
            "VERIFY_WINDOW_SECONDS": 12 * step,
            "LATENCY_HEADROOM": self.latency_headroom,
        }

    @property
    def scrape_seconds(self) -> float:
        """At least four scrapes in a rate window."""
        return self.step_seconds / 2.5
