"""The operator asks for a defragmentation by itself: what it takes, what it says, and when it does not ask again."""

from dataclasses import dataclass, field, replace

import pytest
from cynosure.api import AutomationPolicy, ScalingIntent, parse
from cynosure.api.automation_policy import AutomationPolicySpec
from cynosure.diagnose import Finding, Fragmented, Symptom, Worth, diagnose, fragmented
from cynosure.intents.moves import sentences
from cynosure.intents.verification import Range
from cynosure.model.bounds import Bounds
from cynosure.model.gpu import GpuClass, Slot
from cynosure.model.repacking import Acceptance, Defragmentation, Move, Repacking
from cynosure.plan import Tuning, plan_cluster
from cynosure.reconcile.diagnosis.fragmentation import Fragmentation
from cynosure.reconcile.diagnosis.proposals import Proposals
from cynosure.reconcile.result import PassResult
from cynosure.settings import DiagnosisSettings

from tests.builders.evidence import evidence
from tests.builders.moving_world import CODE, EVERYTHING, VISION, World, holes, slot
from tests.builders.snapshots import A100, CHAT, forecast, observation, service
from tests.fakes.objects import Body
from tests.plan.test_defragment import run
from tests.reconcile.shop import INTENTS, POLICIES, Shop, shop  # noqa: F401
from tests.reconcile.test_defragment import Floor, floor, in_force  # noqa: F401

HOUR = 3600.0
OWN_NAME = "system:serviceaccount:cynosure-system:cynosure"


@dataclass
class Watch:
    """The part of the diagnosis that looks at fragmentation, and the shop that it looks at."""

    floor: Floor
    looks: Fragmentation = field(init=False)
    proposals: Proposals = field(init=False)

    def __post_init__(self) -> None:
        settings = DiagnosisSettings(fragmented_seconds=HOUR, fragmented_pause_seconds=24 * HOUR)
        self.looks = Fragmentation(plan_cluster, self.policy, settings)
        api = self.floor.shop.api
        self.proposals = Proposals(api, settings.proposal_seconds, settings.fragmented_pause_seconds, _user=OWN_NAME)

    def policy(self) -> AutomationPolicySpec:
        stored = [parse(AutomationPolicy, body) for body in self.floor.shop.server.storage.of(POLICIES)]
        return next((p.spec for p in stored if isinstance(p, AutomationPolicy)), AutomationPolicySpec())

    async def look(self, minutes: float = 10) -> list[Finding]:
        """One round of the diagnosis and of the lifecycle, and then the time passes."""
        shop, bounds = self.floor.shop, in_force(self.floor.shop)  # noqa: F811
        snapshot = replace(self.floor.world.snapshot(), now_seconds=shop.now)
        seen = PassResult(snapshot, {}, bounds, self.floor.world.plan(bounds))
        await self.looks.look(seen)
        seen_of = {o.service.key: o for o in snapshot.observations}
        states = self.looks.standing()
        found = {key: diagnose(evidence(observation=seen_of[key], fragmented=state)) for key, state in states.items()}
        intents = [parse(ScalingIntent, body) for body in shop.server.storage.of(INTENTS)]
        known = [intent for intent in intents if isinstance(intent, ScalingIntent)]
        await self.proposals.draft(found, known, shop.now)
        await shop.rounds(60 * minutes)
        return [finding for findings in found.values() for finding in findings]

    async def until_drafted(self) -> str:
        for _ in range(7):
            await self.look()
        (draft,) = self.drafts()
        return str(draft["metadata"]["name"])

    def drafts(self) -> list[Body]:
        bodies = self.floor.shop.server.storage.of(INTENTS)
        return [body for body in bodies if "cynosure.dev/cause" in body["metadata"].get("labels", {})]


@pytest.fixture
def watch(floor: Floor) -> Watch:  # noqa: F811
    return Watch(floor)


@pytest.mark.slow
async def test_holes_that_last_become_one_draft_that_another_person_approves(watch: Watch) -> None:
    for _ in range(6):
        assert await watch.look() == [], "services that shrank may grow again"
    (finding,) = await watch.look()
    assert finding.message == "2 moves in namespace shop would free 2 of 4 GPUs"
    for _ in range(12):
        await watch.look()
    (draft,) = watch.drafts()
    assert draft["spec"]["directives"] == [{"verb": "defragment", "namespace": "shop"}]
    assert (draft["spec"]["approval"], draft["spec"]["requestedBy"]) == ("Manual", OWN_NAME)
    name, shop = draft["metadata"]["name"], watch.floor.shop  # noqa: F811
    assert shop.phase(name) == "Planned"
    message = shop.status(name)["plan"]["message"]
    assert "Frees 2 of 4 GPUs by 2 moves" in message
    assert "No GPUClass has a price of A100-80GB in EUR" in message
    shop.approve(name, approver=OWN_NAME)
    await shop.rounds()
    assert shop.condition(name, "Approved") == ("False", "SelfApproval")
    shop.evidence.range = Range(2, 3, 60, 60)
    shop.approve(name)
    await shop.rounds()
    await watch.floor.passes(12)
    assert shop.phase(name) == "Verified"
    assert len(watch.floor.world.used()) == 2


@pytest.mark.slow
async def test_holes_that_come_and_go_are_never_asked_about(watch: Watch) -> None:
    packed = World({CHAT: [slot(0, 0), slot(0, 2)], VISION: [slot(0, 4, VISION)], CODE: [slot(1, 0, CODE)]})
    for world in (holes(), packed) * 3:
        watch.floor.world = world
        for _ in range(4):
            assert await watch.look() == []
    assert watch.drafts() == []


@pytest.mark.slow
async def test_after_a_denial_nobody_is_asked_for_a_while(watch: Watch) -> None:
    name = await watch.until_drafted()
    watch.floor.shop.approve(name, decision="Denied")
    await watch.look()
    assert watch.floor.shop.phase(name) == "Denied"
    for _ in range(22):
        await watch.look(minutes=60)
    assert len(watch.drafts()) == 1
    for _ in range(4):
        await watch.look(minutes=60)
    assert len(watch.drafts()) == 2, "a day later the holes are still there"


@pytest.mark.slow
async def test_nobody_is_asked_beside_an_open_question_of_a_person(watch: Watch) -> None:
    asked = watch.floor.shop.ask("defragment")
    for _ in range(9):
        await watch.look()
    assert watch.floor.shop.phase(asked) == "Planned"
    assert watch.drafts() == []


@pytest.mark.parametrize(
    ("policy", "approval"),
    [
        ({"automaticVerbs": ["defragment"], "maxMoves": 2}, "Automatic"),
        ({"automaticVerbs": ["defragment"], "maxMoves": 1}, "Manual"),
        ({"automaticVerbs": ["defragment"]}, "Manual"),
        ({"automaticVerbs": ["scale"], "maxMoves": 2}, "Manual"),
    ],
    ids=["within maxMoves", "more moves", "no maxMoves", "another verb"],
)
async def test_without_a_person_only_within_max_moves(watch: Watch, policy: Body, approval: str) -> None:
    watch.floor.shop.policy(**policy)
    name = await watch.until_drafted()
    (draft,) = watch.drafts()
    assert draft["spec"]["approval"] == approval
    is_applied = watch.floor.shop.phase(name) == "Applied"
    assert is_applied == (approval == "Automatic")


async def test_protected_namespaces_and_a_stopped_cluster_are_not_looked_at(watch: Watch) -> None:
    watch.floor.shop.policy(protectedNamespaces=["shop"])
    for _ in range(8):
        assert await watch.look() == []
    watch.floor.shop.edit_policy(protectedNamespaces=[], stop=True)
    for _ in range(8):
        assert await watch.look() == []


WORTH = Worth(fewest_gpus=2, gpus_seconds=100, room_seconds=10)
REPACKING = Repacking((Move(slot(0, 0), slot(1, 0)),), ("gpu-0",))


def test_room_for_what_comes_next_is_asked_about_sooner_and_without_a_freed_gpu() -> None:
    room = Defragmentation(REPACKING, 2, 1, acceptance=Acceptance(3, 1, 2))
    state = fragmented(None, room, 0.0, WORTH)
    assert state is not None
    assert not state.stands
    state = fragmented(state, room, 10.0, WORTH)
    assert state is not None
    assert state.stands


def test_once_asked_about_it_stands_until_nothing_is_left_to_gain() -> None:
    """Less than the limit is enough to go on with, so that a gain about the limit does not flap."""
    more, less = Defragmentation(replace(REPACKING, frees=("a", "b")), 4, 2), Defragmentation(REPACKING, 4, 3)
    assert fragmented(None, less, 0.0, WORTH) is None
    state = fragmented(fragmented(None, more, 0.0, WORTH), more, 100.0, WORTH)
    state = fragmented(state, less, 200.0, WORTH)
    assert state is not None
    assert state.stands
    assert fragmented(state, Defragmentation(), 300.0, WORTH) is None


def proposal(world: World, prices: dict[str, float], whole_rps: float = 0.1) -> Defragmentation:
    """Of a world in which a service on whole GPUs, the last one, expects ``whole_rps``; 60 rps take four GPUs."""
    big = observation(1, 0.1, of=service(CODE, partitions=("7g.80gb",)), partition="7g.80gb")
    at = Slot(f"gpu-{world.gpus - 1}", 0, "7g.80gb", CODE)
    big = replace(big, replicas=(replace(big.replicas[0], slot=at),))
    here = world.snapshot()
    here = replace(here, observations=(*here.observations, big), classes={A100: GpuClass(A100, prices)})
    forecasts = {CODE: forecast(0.1, later_rps=whole_rps)}
    found = plan_cluster(here, forecasts, Bounds(defragment=EVERYTHING), Tuning()).defragmentation
    assert found is not None
    return found


def scattered() -> World:
    """A 2g on each of two GPUs, beside a third: none is whole."""
    return World({CHAT: [slot(0, 0)], VISION: [slot(1, 2, VISION)]}, gpus=3)


def test_the_plan_says_what_is_saved_and_what_would_find_room() -> None:
    found = proposal(scattered(), {"EUR": 2.5, "USD": 9.0}, whole_rps=60.0)
    assert found.acceptance == Acceptance(3, 0, 1)
    told = "\n".join(sentences(found))
    assert "Of 3 more partitions that are likely to be wanted next, 0 find room now, 1 then." in told
    assert "The freed GPUs cost 2.50 EUR an hour." in told
    state = fragmented(None, found, 0.0, WORTH)
    assert state is not None
    (finding,) = diagnose(evidence(fragmented=replace(state, stands=True)))
    assert finding.symptom is Symptom.AT_RISK
    assert finding.message.endswith(" and leave room for 1 more of the partitions that are likely wanted next")


def test_without_a_price_nothing_is_said_to_be_saved() -> None:
    found = proposal(scattered(), {"USD": 9.0})
    assert found.saving is not None
    assert found.saving.per_hour is None
    assert found.acceptance is None
    told = "\n".join(sentences(found))
    assert "EUR an hour" not in told
    assert "No GPUClass has a price of A100-80GB in EUR" in told


def test_moves_on_the_same_gpus_are_proposed_where_they_make_room() -> None:
    """Two 2g on one GPU, each where a 3g would start, and a service that expects to need a 3g."""
    world = World({CHAT: [slot(0, 0)], VISION: [slot(0, 4, VISION)]}, gpus=1)
    assert world.proposal().obstacle == "2 partitions stand on 1 GPU, and no fewer GPUs would hold them"
    new = observation(0, 2.0, of=service(CODE, partitions=("3g.40gb",)))
    here = replace(world.snapshot(), observations=(*world.snapshot().observations, new))
    found = plan_cluster(here, {}, Bounds(defragment=EVERYTHING), Tuning()).defragmentation
    assert found is not None
    assert (len(found.repacking.moves), found.repacking.frees) == (1, ())
    assert found.acceptance == Acceptance(1, 0, 1)
    run(world, found.repacking)
    assert world.wanted == {CHAT: 1, VISION: 1}
    assert {pod.slot for pods in world.pods.values() for pod in pods} == {m.target for m in found.repacking.moves} | (
        {slot(0, 0), slot(0, 4, VISION)} - {m.origin for m in found.repacking.moves}
    )
    told = "\n".join(sentences(found))
    assert told.startswith("Makes room by 1 moves, one after the other.")
    assert "Of 1 more partitions that are likely to be wanted next, 0 find room now, 1 then." in told
    assert "GPUClass" not in told, "no GPU is freed, so none is saved"
    (finding,) = diagnose(evidence(fragmented=Fragmented(0.0, found, stands=True)))
    assert finding.message == (
        "1 moves in namespace shop would leave room for 1 more of the partitions that are likely wanted next"
    )
