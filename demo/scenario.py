"""The numbers of the demo, all in one place."""

from dataclasses import dataclass

DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A day of the trace replayed in ``day_seconds`` of real time; every season shrinks with it."""

    namespace: str = "shop"
    system_namespace: str = "cynosure-system"
    day_seconds: float = 600.0
    history_days: int = 5
    chat_peak_rps: float = 14.0
    vision_peak_rps: float = 10.0
    step_seconds: float = 5.0
    seed: int = 7
    sentence: str = "keep chat's p95 time to first token under 300 ms and never use more than 4 GPUs"
    ask_at: float = 0.45
    """Share of the day that has passed when the sentence is said."""

    @property
    def compression(self) -> float:
        return DAY_SECONDS / self.day_seconds
