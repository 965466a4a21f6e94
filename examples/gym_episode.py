"""One episode of examples/replay.yaml in the twin, by a random policy or by the product's own.

pip install 'cynosure[train]', then: python examples/gym_episode.py --policy random --seed 7
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cynosure.twin.environment import ReplayEnvironment, environment_of
from cynosure.twin.policies.cynosure import Cynosure

HERE = Path(__file__).parent


def at_random(environment: ReplayEnvironment, seed: int) -> Callable[[Any], Any]:
    environment.action_space.seed(seed)
    return lambda observation: environment.action_space.sample()


def by_cynosure(environment: ReplayEnvironment, seed: int) -> Callable[[Any], Any]:
    """It plans from what the environment saw, not from the vector: its memory of the past is its own."""
    policy = Cynosure(environment.setting, site=environment.site)
    return lambda observation: environment.action_of(policy.decide(environment.seen))


POLICIES = {"random": at_random, "cynosure": by_cynosure}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--policy", choices=POLICIES, default="random")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    environment = environment_of(
        HERE / "replay.yaml",
        HERE / "chat.yaml",
        HERE / "profiles" / "opt-1.3b.yaml",
        gpus={"A100-80GB": 4},
        choose_partition=True,
    )
    observation, info = environment.reset(seed=arguments.seed)
    choose = POLICIES[arguments.policy](environment, arguments.seed)
    total, is_over = 0.0, False
    while not is_over:
        observation, reward, _, is_over, info = environment.step(choose(observation))
        total += reward
    attainment = info["within_slo"] / info["offered"]
    print(f"{arguments.policy}: reward {total:.3f}, {attainment:.2%} within the SLO, {info['gpu_hours']:.2f} GPU-hours")


if __name__ == "__main__":
    main()
