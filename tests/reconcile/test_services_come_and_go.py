"""Intents that make and delete whole services: planned, approved, carried out, taken back, and killed on the way."""

import contextlib
from typing import Any

import pytest
from cynosure.intents.verification import Range

from tests.fakes.objects import Body
from tests.reconcile.shop import SERVICES, Killed, Mortal, Shop

PROFILES = ("cynosure.dev", "v1alpha1", "modelprofiles")
SERVING: Body = {
    "engine": {"kind": "vllm", "args": ["--enable-prefix-caching"]},
    "uri": "hf://example/llm",
    "targets": [{"metric": "ttft", "percentile": 95, "milliseconds": 500}],
}
DEPLOY: Body = {"verb": "deploy", "service": "assistant", "model": "llm"}
DELETE: Body = {"verb": "delete", "service": "chat"}


def catalogue(shop: Shop, **changes: Any) -> None:
    point = {"gpu": "A100-80GB", "partition": "3g.40gb", "concurrency": 4, "throughputRps": "5"}
    timed = {"inputTokens": 2048, "outputTokens": 28, "ttftMilliseconds": "100", "tpotMilliseconds": "10"}
    spec = {"model": "example/llm", "loadSeconds": 8, "points": [{**point, **timed}], **changes}
    body = {"apiVersion": "cynosure.dev/v1alpha1", "kind": "ModelProfile", "metadata": {"name": "llm"}, "spec": spec}
    shop.server.storage.create((PROFILES, "", "llm"), body, ("kubectl", "Update", ""))


def there(shop: Shop, name: str) -> Body | None:
    found = shop.server.storage.objects.get((SERVICES, "shop", name))
    return found.body if found else None


async def planned(shop: Shop, *directives: Body, **spec: Any) -> str:
    name = shop.ask(directives=list(directives), **spec)
    await shop.rounds()
    return name


async def agreed(shop: Shop, *directives: Body, seconds: float = 1.0, **spec: Any) -> str:
    name = await planned(shop, *directives, **spec)
    shop.approve(name)
    await shop.rounds(seconds)
    return name


async def test_a_sentence_makes_a_service_and_an_undo_deletes_it(shop: Shop) -> None:
    catalogue(shop, serving=SERVING)
    shop.evidence.range = Range(0, 1, 60, 60)
    asked = shop.ask("deploy llm called assistant with at least 2 replicas")
    await shop.rounds()
    plan = shop.status(asked)["plan"]
    assert {line["path"] for line in plan["diff"]} == {"spec.engine", "spec.model", "spec.scale", "spec.slo"}
    assert all("before" not in line and line["name"] == "assistant" for line in plan["diff"])
    assert [(e["service"], e["replicas"]) for e in plan["after"]] == [("assistant", 2)]
    assert plan["before"] == []
    assert "shop/assistant: is made, with the engine of ModelProfile llm." in plan["message"]
    assert "shop/assistant: begins with 2 x 2g.20gb on A100-80GB" in plan["message"]
    assert there(shop, "assistant") is None

    shop.approve(asked)
    await shop.rounds(seconds=100)
    made = there(shop, "assistant")
    assert made is not None
    assert made["spec"]["engine"] == {**SERVING["engine"], "port": 8000}
    assert made["spec"]["model"] == {"name": "example/llm", "profile": "llm", "uri": "hf://example/llm"}
    assert made["spec"]["scale"] == {"min": 2, "max": 8}
    await shop.rounds()
    assert shop.phase(asked) == "Verified", "a replica has served"

    undo = shop.ask("undo")
    await shop.rounds()
    told = shop.status(undo)["plan"]["message"]
    assert "shop/assistant: is deleted at once" in told
    assert "Not reversible" in told
    shop.approve(undo)
    await shop.rounds()
    assert (there(shop, "assistant"), shop.phase(asked)) == (None, "Undone")


async def test_limits_of_a_deployment_are_in_its_spec(shop: Shop) -> None:
    catalogue(shop, serving=SERVING)
    limit = {"metric": "ttft", "value": "0.7", "unit": "s", "percentile": "99"}
    await agreed(shop, {**DEPLOY, **limit, "replicas": 2, "max": 4})
    cost = {"metric": "gpus", "value": "3", "unit": "count"}
    await agreed(shop, {**DEPLOY, "service": "second", **cost})
    first, second = there(shop, "assistant"), there(shop, "second")
    assert first is not None
    assert second is not None
    assert first["spec"]["slo"] == {"targets": [{"metric": "ttft", "percentile": "99", "milliseconds": 700}]}
    assert first["spec"]["scale"] == {"replicas": 2, "max": 4}
    assert second["spec"]["budget"] == {"gpus": 3}


async def test_without_a_word_of_the_catalogue_it_is_served_as_a_service_beside_it(shop: Shop) -> None:
    catalogue(shop)
    asked = await agreed(shop, DEPLOY)
    made = there(shop, "assistant")
    assert made is not None
    assert made["spec"]["engine"]["kind"] == "emulated"
    assert "with the engine of service chat" in shop.status(asked)["plan"]["message"]


@pytest.mark.parametrize(
    ("serving", "directive", "reason", "nearest"),
    [
        (SERVING, {**DEPLOY, "service": "chat"}, "Infeasible", "deploy it as chat-2, or delete chat first"),
        (SERVING, {**DEPLOY, "model": "lllm"}, "UnknownModel", "llm"),
        (SERVING, {**DEPLOY, "delta": 2}, "Infeasible", "a number of replicas"),
        (SERVING, {**DEPLOY, "min": 9, "replicas": 2}, "Infeasible", None),
        (SERVING, {**DEPLOY, "max": 50}, "OutsideLimits", "max 20"),
        (SERVING, {**DEPLOY, "namespace": "other"}, "Infeasible", "an intent in that namespace"),
        ({"engine": {"kind": "vllm"}}, DEPLOY, "Infeasible", "the same with: with a p95 time to first token"),
        (None, {**DEPLOY, "model": "other"}, "Infeasible", "spec.serving in ModelProfile other"),
    ],
    ids=["name", "model", "relative", "pin below min", "policy", "namespace", "no latency", "no engine"],
)
async def test_what_cannot_be_deployed_is_refused_with_what_works(
    shop: Shop,
    serving: Body | None,
    directive: Body,
    reason: str,
    nearest: str | None,
) -> None:
    shop.policy(maxReplicas=20)
    catalogue(shop, **({"serving": serving} if serving else {}))
    if serving is None:
        spec = shop.server.storage.objects[PROFILES, "", "llm"].body["spec"]
        body = {"kind": "ModelProfile", "metadata": {"name": "other"}, "spec": {**spec, "model": "other"}}
        shop.server.storage.create((PROFILES, "", "other"), body, ("kubectl", "Update", ""))
    asked = await planned(shop, directive)
    refused = shop.status(asked)["refusal"]
    assert (shop.phase(asked), refused["reason"]) == ("Refused", reason)
    assert refused.get("nearest", "").startswith(nearest or "")


async def test_what_the_api_server_would_not_take_is_not_offered_for_approval(shop: Shop) -> None:
    catalogue(shop, serving=SERVING)
    shop.server.faults.refuse = lambda method, path: (
        422 if method == "POST" and path.endswith("inferenceservices") else None
    )
    asked = await planned(shop, DEPLOY)
    assert shop.condition(asked, "Planned") == ("False", "Infeasible")


async def test_what_finds_no_place_is_not_offered_for_approval(shop: Shop) -> None:
    catalogue(shop, serving=SERVING)
    asked = await planned(shop, {**DEPLOY, "replicas": 40})
    assert shop.condition(asked, "Planned") == ("False", "Infeasible")


@pytest.mark.slow
async def test_an_undo_leaves_a_service_that_somebody_changed_and_says_so(shop: Shop) -> None:
    catalogue(shop, serving=SERVING)
    await agreed(shop, DEPLOY)
    shop.edit({"spec": {"scale": {"min": 3}}}, "assistant")
    undo = shop.ask("undo")
    await shop.rounds()
    message = shop.status(undo)["plan"]["message"]
    assert "shop/assistant stays, as somebody else has changed it: spec.scale" in message
    shop.approve(undo)
    await shop.rounds()
    assert there(shop, "assistant") is not None


@pytest.mark.parametrize("approved", [True, False], ids=["stated in the directive", "added afterwards"])
async def test_a_service_goes_at_an_end_that_was_approved_and_at_no_other(shop: Shop, approved: bool) -> None:
    catalogue(shop, serving=SERVING)
    end = {"expires": "2096-10-02T08:00:00Z"}
    asked = await agreed(shop, {**DEPLOY, **(end if approved else {})})
    told = "At its end, 2096-10-02 08:00 UTC, all of them are as before." in shop.status(asked)["plan"]["message"]
    if not approved:
        shop.edit_intent(asked, end)
    shop.now += 86400
    await shop.rounds()
    assert shop.phase(asked) == "Expired"
    assert (told, there(shop, "assistant") is None) == (approved, approved)


@pytest.mark.slow
async def test_a_service_that_does_not_serve_in_time_is_not_taken_away(shop: Shop) -> None:
    catalogue(shop, serving=SERVING)
    shop.evidence.range = Range(0, 0, 60, 60)
    asked = await agreed(shop, DEPLOY)
    for _ in range(4):
        await shop.rounds(seconds=300)
    assert shop.condition(asked, "Verified") == ("Unknown", "MetricsMissing")
    assert there(shop, "assistant") is not None


@pytest.mark.slow
@pytest.mark.parametrize("verbs", [["scale"], ["deploy", "delete"]], ids=["not named", "named"])
async def test_without_a_person_only_where_the_policy_names_the_verb(shop: Shop, verbs: list[str]) -> None:
    catalogue(shop, serving=SERVING)
    shop.policy(automaticVerbs=verbs, deleteGraceSeconds=0)
    made = await planned(shop, DEPLOY, approval="Automatic")
    gone = await planned(shop, DELETE, approval="Automatic")
    await shop.rounds()
    allowed = "delete" in verbs
    assert (there(shop, "assistant") is not None, there(shop, "chat") is None) == (allowed, allowed)
    if not allowed:
        assert shop.condition(made, "Approved") == shop.condition(gone, "Approved") == ("False", "PolicyForbids")


async def test_an_undo_that_deletes_is_automatic_only_where_deleting_is(shop: Shop) -> None:
    catalogue(shop, serving=SERVING)
    shop.policy(automaticVerbs=["undo"])
    await agreed(shop, DEPLOY)
    undo = await planned(shop, {"verb": "undo"}, approval="Automatic")
    assert shop.condition(undo, "Approved") == ("False", "PolicyForbids")
    assert there(shop, "assistant") is not None


@pytest.mark.slow
@pytest.mark.parametrize("dies_at", range(10))
async def test_killed_before_any_write_of_a_deployment_it_ends_with_one_service(
    shop: Shop,
    dies_at: int,
) -> None:
    catalogue(shop, serving=SERVING)
    asked = await planned(shop, DEPLOY)
    shop.approve(asked)
    shop.restart(Mortal(shop.api, dies_at))
    with contextlib.suppress(Killed):
        await shop.rounds()
    shop.restart()
    await shop.rounds()
    made = there(shop, "assistant")
    assert made is not None
    assert made["metadata"]["generation"] == 1
    assert shop.condition(asked, "Applied") == ("True", "InForce")


async def test_a_name_that_somebody_takes_between_record_and_write_stays_theirs(shop: Shop) -> None:
    catalogue(shop, serving=SERVING)
    asked = await planned(shop, DEPLOY)
    shop.approve(asked)
    deaths = 0
    while shop.condition(asked, "Applied") != ("Unknown", "Applying"):
        shop.restart(Mortal(shop.api, deaths))
        deaths += 1
        with contextlib.suppress(Killed):
            await shop.life.round()
    chat = there(shop, "chat")
    assert chat is not None
    shop.add(SERVICES, "assistant", chat["spec"])
    shop.restart()
    await shop.rounds()
    assert shop.condition(asked, "Applied") == ("False", "ApplyRefused")
    theirs = there(shop, "assistant")
    assert theirs is not None
    assert theirs["spec"] == chat["spec"]


async def test_a_deletion_leaves_all_untouched_for_its_time_of_grace(shop: Shop) -> None:
    before = there(shop, "chat")
    asked = await planned(shop, DELETE)
    plan = shop.status(asked)["plan"]
    assert {line["path"] for line in plan["diff"]} >= {"spec.engine", "spec.model", "spec.slo"}
    assert all("after" not in line for line in plan["diff"])
    assert "shop/chat: stays untouched for 300 s once it is applied" in plan["message"]
    assert (len(plan["before"]), plan["after"]) == (1, [])
    shop.approve(asked)
    await shop.rounds(seconds=298)
    await shop.rounds()
    assert there(shop, "chat") == before
    assert (shop.phase(asked), shop.condition(asked, "Verified")) == ("Applied", ("Unknown", "GracePeriod"))
    shop.now += 2
    await shop.rounds()
    assert (there(shop, "chat"), shop.phase(asked)) == (None, "Verified")


async def test_an_undo_in_time_keeps_the_service_as_it_is(shop: Shop) -> None:
    before = there(shop, "chat")
    asked = await agreed(shop, DELETE, seconds=100)
    undo = shop.ask("undo")
    await shop.rounds()
    assert "shop/chat: is still there, and stays untouched." in shop.status(undo)["plan"]["message"]
    assert shop.status(undo)["plan"]["diff"] == []
    shop.approve(undo)
    await shop.rounds(seconds=1000)
    await shop.rounds()
    assert there(shop, "chat") == before
    assert shop.phase(asked) == "Undone"


@pytest.mark.slow
@pytest.mark.parametrize("planned_in_time", [True, False], ids=["planned in time", "planned too late"])
async def test_an_undo_after_it_makes_the_service_anew(shop: Shop, planned_in_time: bool) -> None:
    shop.edit({"metadata": {"labels": {"team": "shop"}}})
    before = there(shop, "chat")
    assert before is not None
    asked = await agreed(shop, DELETE)
    undo = await planned(shop, {"verb": "undo"}) if planned_in_time else ""
    digest = shop.status(undo)["plan"]["digest"] if undo else ""
    await shop.rounds(seconds=400)
    await shop.rounds()
    assert there(shop, "chat") is None
    undo = undo or await planned(shop, {"verb": "undo"})
    shop.approve(undo, digest=digest)
    await shop.rounds()
    anew = there(shop, "chat")
    assert anew is not None
    assert anew["metadata"]["labels"] == {"team": "shop"}
    assert anew["metadata"]["uid"] != before["metadata"]["uid"]
    assert {name: anew["spec"][name] for name in before["spec"] if name != "engine"} == {
        **{name: before["spec"][name] for name in before["spec"] if name != "engine"},
        "scale": {**before["spec"]["scale"], "zeroAfterSeconds": 600, "schedules": []},
        "slo": anew["spec"]["slo"],
    }
    assert shop.phase(asked) == "Undone"


async def test_what_somebody_changes_in_the_time_of_grace_is_not_deleted(shop: Shop) -> None:
    asked = await agreed(shop, DELETE)
    shop.edit({"spec": {"scale": {"max": 5}}})
    shop.now += 400
    await shop.rounds()
    assert (shop.condition(asked, "Applied"), shop.phase(asked)) == (("False", "ApplyRefused"), "Failed")
    assert there(shop, "chat") is not None


@pytest.mark.slow
async def test_an_emergency_stop_begins_the_time_of_grace_anew(shop: Shop) -> None:
    shop.policy(stop=False)
    asked = await agreed(shop, DELETE)
    shop.edit_policy(stop=True)
    await shop.rounds(seconds=1000)
    await shop.rounds()
    assert there(shop, "chat") is not None
    shop.edit_policy(stop=False)
    await shop.rounds(seconds=299)
    await shop.rounds()
    assert there(shop, "chat") is not None
    await shop.rounds()
    assert (there(shop, "chat"), shop.phase(asked)) == (None, "Verified")


async def test_a_namespace_that_is_protected_meanwhile_keeps_its_services(shop: Shop) -> None:
    shop.policy(stop=False)
    await agreed(shop, DELETE)
    shop.edit_policy(protectedNamespaces=["shop"])
    shop.now += 400
    await shop.rounds()
    assert there(shop, "chat") is not None
    asked = await planned(shop, DELETE)
    assert shop.condition(asked, "Grounded") == ("False", "ProtectedNamespace")


@pytest.mark.parametrize(
    ("directives", "reason"),
    [
        ([{**DELETE, "service": "*"}], "UnsafeRequest"),
        ([DELETE, {"verb": "pause", "service": "chat"}], "Contradiction"),
        ([{**DELETE, "service": "chta"}], "UnknownService"),
    ],
    ids=["all", "and something else", "unknown"],
)
async def test_a_deletion_that_is_refused(shop: Shop, directives: list[Body], reason: str) -> None:
    asked = await planned(shop, *directives)
    assert shop.condition(asked, "Grounded") == ("False", reason)


async def test_intents_in_force_about_what_goes_are_a_risk_that_is_told(shop: Shop) -> None:
    limit = await shop.applied("never use more than 4 GPUs for chat")
    asked = await planned(shop, DELETE)
    assert f"Risk: intent {limit} is about shop/chat" in shop.status(asked)["plan"]["message"]


@pytest.mark.slow
@pytest.mark.parametrize("dies_at", range(8))
async def test_killed_before_any_write_of_a_deletion_it_ends_in_the_same_state(
    shop: Shop,
    dies_at: int,
) -> None:
    asked = await planned(shop, DELETE)
    shop.approve(asked)
    shop.restart(Mortal(shop.api, dies_at))
    with contextlib.suppress(Killed):
        await shop.rounds(seconds=301)
        await shop.rounds()
    shop.restart()
    await shop.rounds(seconds=301)
    await shop.rounds()
    assert (there(shop, "chat"), shop.phase(asked)) == (None, "Verified")
    await agreed(shop, {"verb": "undo"})
    assert there(shop, "chat") is not None
