"""What can be set begins where the planner's own numbers are."""

from cynosure.app import tuning
from cynosure.plan import Tuning
from cynosure.settings import Settings


def test_the_defaults_of_the_settings_are_those_of_the_planner() -> None:
    assert tuning(Settings()) == Tuning()
