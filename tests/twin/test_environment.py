"""A TrafficReplay as an environment: Gymnasium's own checks, and the product in it as in the twin itself."""

import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from cynosure.errors import BadInput
from cynosure.twin.environment import ReplayEnvironment, Terms, environment_of
from cynosure.twin.observation import ABSENT
from cynosure.twin.policies.cynosure import Cynosure
from cynosure.twin.port import Wanted
from cynosure.twin.replayed import experiment_of
from cynosure.twin.simulation import simulate
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env

Episode = list[tuple[np.ndarray, float, dict[str, Any]]]


@pytest.fixture
def documents(repository: Path) -> dict[str, Any]:
    replay = yaml.safe_load((repository / "examples/replay.yaml").read_text())
    replay["spec"] |= {"durationSeconds": 450}
    service = yaml.safe_load((repository / "examples/chat.yaml").read_text())
    return {"replay": replay, "service": service, "profile": repository / "examples/profiles/opt-1.3b.yaml"}


@pytest.fixture
def environment(documents: dict[str, Any]) -> ReplayEnvironment:
    return environment_of(**documents, gpus={"A100-80GB": 2})


def steps(environment: ReplayEnvironment, actions: Iterator[Any], seed: int = 7) -> Episode:
    observed, info = environment.reset(seed=seed)
    found: Episode = [(observed, 0.0, info)]
    is_over = False
    while not is_over:
        observed, reward, terminated, is_over, info = environment.step(next(actions))
        assert not terminated, "the service would serve on"
        found.append((observed, reward, info))
    return found


def always(action: Any) -> Iterator[Any]:
    while True:
        yield action


@pytest.mark.parametrize("choose_partition", [False, True])
def test_gymnasium_finds_nothing_wrong_with_it(documents: dict[str, Any], choose_partition: bool) -> None:
    made = environment_of(**documents, gpus={"A100-80GB": 2}, choose_partition=choose_partition)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(made, skip_render_check=True)
    kind = spaces.MultiDiscrete if choose_partition else spaces.Discrete
    assert isinstance(made.action_space, kind)


@pytest.mark.parametrize("choose_partition", [False, True])
def test_the_products_own_policy_does_in_it_what_it_does_in_the_twin(
    documents: dict[str, Any], choose_partition: bool
) -> None:
    if not choose_partition:
        documents["service"]["spec"]["partitions"] = {"allowed": ["3g.40gb"]}
    made = environment_of(**documents, gpus={"A100-80GB": 4}, choose_partition=choose_partition)
    made.reset(seed=7)
    policy, is_over = Cynosure(made.setting, site=made.site), False
    while not is_over:
        *_, is_over, info = made.step(made.action_of(policy.decide(made.seen)))

    experiment = experiment_of(made.site, made.schedule_of(7), 7)
    alone = simulate(experiment, Cynosure(experiment.setting, site=made.site))
    there = made.outcome
    assert np.array_equal(there.tally.buckets, alone.tally.buckets)
    assert there.tally.met.tolist() == alone.tally.met.tolist()
    assert there.tally.counts.tolist() == alone.tally.counts.tolist()
    assert (there.gpu_hours, there.energy_kwh, there.scale_actions) == (
        alone.gpu_hours,
        alone.energy_kwh,
        alone.scale_actions,
    )
    assert there.timeline.wanted.tolist() == alone.timeline.wanted.tolist()
    assert there.scale_actions > 0, "a policy that does nothing would prove nothing"
    assert info["gpu_hours"] == alone.gpu_hours


def test_a_seed_gives_one_episode_and_another_seed_another_one(environment: ReplayEnvironment) -> None:
    one, again, other = (steps(environment, always(2), seed) for seed in (7, 7, 8))

    assert all(np.array_equal(a[0], b[0]) and a[1:] == b[1:] for a, b in zip(one, again, strict=True))
    assert [step[1] for step in one] != [step[1] for step in other]


def test_without_a_seed_each_episode_is_another_one(environment: ReplayEnvironment) -> None:
    environment.reset(seed=3)
    offered = set()
    for _ in range(3):
        environment.reset()
        *_, info = environment.step(2)
        offered.add(info["offered"])
    assert len(offered) > 1


def test_the_rewards_add_up_to_what_the_replay_cost(documents: dict[str, Any]) -> None:
    terms = Terms(gpu_cost_per_hour=3.0, miss_cost=0.5)
    made = environment_of(**documents, gpus={"A100-80GB": 2}, terms=terms)
    made.reset(seed=7)
    begun = made.step(1)[-1]["cost"]
    episode = steps(made, always(1))

    outcome = made.outcome
    missed = int(outcome.tally.counts[0] - outcome.tally.met[-1])
    paid = -sum(reward for _, reward, _ in episode)
    first = episode[0][2]["cost"]
    assert missed > 0
    assert episode[-1][2]["missed"] == missed
    assert first + paid == pytest.approx(3.0 * outcome.gpu_hours + 0.5 * missed)
    assert begun > first


def test_more_replicas_cost_more_and_miss_less(environment: ReplayEnvironment) -> None:
    few, many = (steps(environment, always(count))[-1][2] for count in (1, 5))

    assert few["missed"] > many["missed"]
    assert few["gpu_hours"] < many["gpu_hours"]


def test_what_is_seen_has_a_name_and_what_is_not_known_is_not_zero(environment: ReplayEnvironment) -> None:
    episode = steps(environment, always(3))
    rows = [dict(zip(environment.names, observed.tolist(), strict=True)) for observed, *_ in episode]

    assert rows[-1]["ready_replicas"] == 3
    assert rows[-1]["arrival_rps"] > 0
    assert rows[0]["forecast_p90_rps"] == ABSENT, "there is no history yet"
    assert any(row["forecast_p90_rps"] >= row["forecast_p50_rps"] > 0 for row in rows)
    assert "ttft_p95_over_target" in rows[0]
    assert all(environment.observation_space.contains(observed) for observed, *_ in episode)


def test_fewer_than_the_service_may_have_are_its_minimum(documents: dict[str, Any]) -> None:
    documents["service"]["spec"]["scale"] = {"min": 2, "max": 4}
    made = environment_of(**documents, gpus={"A100-80GB": 2})

    assert steps(made, always(0))[-1][2]["ready"] == 2


def test_a_mix_of_the_replay_is_what_is_asked_for(documents: dict[str, Any]) -> None:
    lengths = {"inputTokens": {"p50": 700, "p95": 700}, "outputTokens": {"p50": 30, "p95": 30}}
    documents["replay"]["spec"]["mix"] = [{"name": "chat", "weight": 1, **lengths}]
    made = environment_of(**documents, gpus={"A100-80GB": 2})
    made.reset(seed=7)
    assert (made.setting.input_tokens, made.setting.output_tokens) == (700, 30)


def test_a_schedule_can_be_given_in_place_of_a_name(documents: dict[str, Any], environment: ReplayEnvironment) -> None:
    schedule = environment.schedule_of(7)
    documents["replay"]["spec"] |= {"trace": {"configMap": "day"}, "transforms": [], "arrivals": "exact"}
    with pytest.raises(BadInput, match="only a name is read here"):
        environment_of(**documents, gpus={"A100-80GB": 2})
    made = environment_of(**documents, gpus={"A100-80GB": 2}, schedule=schedule)

    assert steps(made, always(2))[-1][2] == steps(environment, always(2))[-1][2]


@pytest.mark.parametrize(
    ("change", "gpus", "said"),
    [
        ({}, {"H200": 1}, "no point for 2g.20gb, 3g.40gb, 7g.80gb on H200"),
        ({}, {}, "no GPU"),
        (
            {"slo": {"targets": [{"metric": "ttft", "percentile": 95, "milliseconds": 1}]}},
            {"A100-80GB": 1},
            "cannot be",
        ),
        ({"scale": {"min": 5, "max": 2}}, {"A100-80GB": 1}, "InferenceService chat: spec.scale"),
    ],
)
def test_what_cannot_be_played_says_why(
    documents: dict[str, Any], change: dict[str, Any], gpus: dict[str, int], said: str
) -> None:
    documents["service"]["spec"] |= change
    with pytest.raises(BadInput, match=said):
        environment_of(**documents, gpus=gpus)


def test_what_is_out_of_turn_is_refused(environment: ReplayEnvironment) -> None:
    with pytest.raises(BadInput, match="call reset"):
        environment.step(1)
    environment.reset(seed=7)
    with pytest.raises(BadInput, match="is not over"):
        _ = environment.outcome
    with pytest.raises(BadInput, match="choose_partition=True"):
        environment.action_of(Wanted(1, "7g.80gb"))
    steps(environment, always(1))
    with pytest.raises(BadInput, match="the episode is over"):
        environment.step(1)


@pytest.mark.parametrize("policy", ["random", "cynosure"])
def test_the_example_runs_as_it_is_written(repository: Path, policy: str) -> None:
    command = [sys.executable, "examples/gym_episode.py", "--policy", policy, "--seed", "7"]
    where = {"PYTHONPATH": os.pathsep.join(sys.path)}
    said, again = (
        subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True, env=where).stdout
        for _ in range(2)
    )
    assert said == again
    assert said.splitlines()[-1].startswith(f"{policy}: ")
