"""``cynosure plan|stop|history|catalog|explain`` against an API server in this process, by a kubeconfig."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from cynosure.api import ScalingIntent, parse
from cynosure.cli import main
from cynosure.intent_text import has_colour, rendered

from llm_engine import Catalog
from tests.fakes.objects import Body
from tests.reconcile.shop import INTENTS, POLICIES, Shop

PERSON = ("kubectl", "Update", "")
Cynosure = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def cynosure(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Cynosure:
    """Exit code, output and errors of a command; its namespace is that of the kubeconfig."""
    config = {
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "alice", "namespace": "shop"}}],
        "clusters": [{"name": "test", "cluster": {"server": shop.server.url}}],
        "users": [{"name": "alice", "user": {}}],
    }
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(config))

    async def run(*arguments: str) -> tuple[int, str, str]:
        code = await asyncio.to_thread(main, [*arguments, "--kubeconfig", str(file)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def catalogue(shop: Shop) -> None:
    measured = {"gpu": "A100-80GB", "concurrency": 4, "inputTokens": 2048, "outputTokens": 20, "tpotMilliseconds": "9"}
    points = [
        {**measured, "partition": "2g.20gb", "throughputRps": "5", "ttftMilliseconds": "90", "watts": "80"},
        {**measured, "partition": "2g.20gb", "throughputRps": "8", "ttftMilliseconds": "95", "watts": "88"}
        | {"concurrency": 8},
        {**measured, "partition": "7g.80gb", "throughputRps": "20", "ttftMilliseconds": "30"},
    ]
    profile = {"model": "example/llm", "licence": "Apache-2.0", "loadSeconds": 8, "points": points}
    prices = [{"region": "default", "perHour": "3.5"}, {"region": "eu-west", "currency": "USD", "perHour": "4"}]
    gpu = {"product": "A100-80GB", "memoryGiB": 80, "partitions": ["2g.20gb", "3g.40gb"], "prices": prices}
    for plural, kind, name, spec in (
        ("modelprofiles", "ModelProfile", "llm", profile),
        ("gpuclasses", "GPUClass", "a100", gpu),
    ):
        body = {"apiVersion": "cynosure.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        shop.server.storage.create((("cynosure.dev", "v1alpha1", plural), "", name), body, PERSON)


async def test_a_plan_shows_what_changes_what_it_uses_and_how_to_approve_it(shop: Shop, cynosure: Cynosure) -> None:
    asked = shop.ask("migrate chat to 7g.80gb")
    await shop.rounds()
    code, told, _ = await cynosure("plan", asked)
    digest = shop.status(asked)["plan"]["digest"]
    assert code == 0
    assert "- shop/chat spec.partitions.allowed: []\n" in told
    assert '+ shop/chat spec.partitions.allowed: ["7g.80gb"]\n' in told
    assert "shop/chat: 1 x 3g.40gb, 0.43 GPUs, 60 W, attainment 0.986 -> 1 x 7g.80gb, 1.00 GPUs" in told
    assert f"kubectl cynosure approve {asked} -n shop --digest {digest}" in told
    code, told, _ = await cynosure("plan", asked, "--json")
    found = json.loads(told)
    assert (code, found["digest"], found["phase"]) == (0, digest, "Planned")
    assert [(line["before"], line["after"]) for line in found["diff"]] == [("[]", '["7g.80gb"]')]
    assert [e["partition"] for e in found["after"]] == ["7g.80gb"]


async def test_a_plan_is_in_colour_on_a_terminal_only(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = shop.ask("migrate chat to 7g.80gb")
    await shop.rounds()
    intent = parse(ScalingIntent, shop.server.storage.objects[INTENTS, "shop", asked].body)
    assert isinstance(intent, ScalingIntent)
    assert "\x1b[31m- shop/chat" in rendered(intent, colour=True)
    assert "\x1b[32m+ shop/chat" in rendered(intent, colour=True)
    assert "\x1b" not in rendered(intent)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert has_colour()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not has_colour()


async def test_a_plan_that_is_not_there(shop: Shop, cynosure: Cynosure) -> None:
    asked = shop.ask("make chat better")
    await shop.rounds()
    code, told, _ = await cynosure("plan", "no-such-intent")
    assert (code, told) == (2, "")
    refused = shop.ask("pause chta")
    await shop.rounds()
    code, told, _ = await cynosure("plan", refused)
    assert code == 1
    assert "refused (UnknownService)" in told
    assert "try: chat" in told
    code, told, _ = await cynosure("plan", asked, "--json")
    assert json.loads(told)["digest"] is None


async def test_the_emergency_stop_is_one_field_and_says_what_it_does(shop: Shop, cynosure: Cynosure) -> None:
    asked = shop.ask("scale chat to 3 replicas")
    await shop.rounds()
    code, told, _ = await cynosure("stop")
    assert code == 0
    assert "the emergency stop is on." in told
    assert "1 service(s) stay" in told
    policy = shop.server.storage.objects[POLICIES, "", "default"].body
    assert policy["spec"] == {"stop": True}
    shop.approve(asked)
    await shop.rounds()
    assert shop.pinned() == 0

    code, _, error = await cynosure("stop", "--off")
    assert (code, error.count("\n")) == (2, 1), "nobody is asked without a terminal"
    assert "use stop --off --yes" in error
    code, told, _ = await cynosure("stop", "--off", "--yes", "--json")
    found = json.loads(told)
    assert found == {"stop": False, "before": True, "services": 1, "approved_intents": [f"shop/{asked}"]}
    await shop.rounds()
    assert shop.pinned() == 3
    assert "is off already" in (await cynosure("stop", "--off", "--yes"))[1]


async def test_the_stop_leaves_the_rest_of_the_policy_as_it_is(shop: Shop, cynosure: Cynosure) -> None:
    shop.policy(maxReplicas=7, stop=False)
    await cynosure("stop")
    assert shop.server.storage.objects[POLICIES, "", "default"].body["spec"] == {"maxReplicas": 7, "stop": True}


@pytest.mark.slow
async def test_the_history_of_a_service_is_its_decisions_and_the_intents_about_it(
    shop: Shop, cynosure: Cynosure
) -> None:
    assert "nothing has happened yet" in (await cynosure("history", "chat"))[1]
    option = {"partition": "3g.40gb", "replicas": 2}
    decided = {"action": "ScaleUp", "option": option, "reason": "Forecast", "message": "1 → 2: 9 requests/s ahead"}
    history = [{**decided, "madeAt": "2026-03-01T08:00:00Z"}]
    shop.edit({"status": {"history": history}})
    asked = await shop.applied("never use more than 4 GPUs for chat")
    other = shop.ask("order two pizzas for the team")
    await shop.rounds()
    code, told, _ = await cynosure("history", "chat")
    newest, oldest = told.splitlines()
    assert code == 0
    assert f"intent {asked} Applied, by alice, approved by bob: never use more than 4 GPUs for chat" in newest
    assert oldest.startswith("2026-03-01T08:00:00+00:00  ScaleUp: 2 x 3g.40gb (Forecast)  1 → 2")
    found = json.loads((await cynosure("history", "chat", "--json"))[1])
    assert [entry["kind"] for entry in found["entries"]] == ["intent", "decision"]
    assert other not in told
    assert (await cynosure("history", "chta"))[0] == 2


async def test_the_catalogue_says_what_fits_what_it_costs_and_what_it_uses(shop: Shop, cynosure: Cynosure) -> None:
    assert "no GPUClass and no ModelProfile" in (await cynosure("catalog"))[1]
    catalogue(shop)
    code, told, _ = await cynosure("catalog")
    assert code == 0
    assert "3.5 EUR a GPU-hour in default; 4 USD a GPU-hour in eu-west" in told
    assert "llm: example/llm, text-generation, licence Apache-2.0, spec.serving is empty" in told
    assert "A100-80GB 2g.20gb: up to 8 requests/s, 0.55 J a token" in told
    assert "A100-80GB 7g.80gb: up to 20 requests/s, energy not measured, not offered by its GPUClass" in told


async def test_the_catalogue_is_what_ask_reads(shop: Shop, cynosure: Cynosure, tmp_path: Path) -> None:
    catalogue(shop)
    shop.policy(maxReplicas=6)
    file = tmp_path / "catalog.json"
    file.write_text((await cynosure("catalog", "--json"))[1])
    document: dict[str, Any] = json.loads(file.read_text())
    known = Catalog.model_validate(document)
    assert [service.name for service in known.services] == ["chat"]
    assert (known.models, known.gpus, known.has_confidential) == (("llm",), ("A100-80GB",), False)
    assert document["models"][0]["fits"][0]["joules_per_token"] == 0.55
    assert document["gpus"][0]["prices"][0] == {"region": "default", "currency": "EUR", "per_gpu_hour": 3.5}
    directive = await asked(cynosure, file, "deploy llm called assistant with 2 replicas")
    assert directive == {"verb": "deploy", "service": "assistant", "model": "llm", "replicas": 2}
    code, told, _ = await cynosure("ask", "scale chat to 7 replicas", "--catalog", str(file), "--json")
    assert (code, json.loads(told)["refusal"]["reason"]) == (1, "OutsideLimits")


async def asked(cynosure: Cynosure, catalog: Path, text: str) -> Body:
    _, told, _ = await cynosure("ask", text, "--catalog", str(catalog), "--engine", "grammar", "--json")
    (directive,) = json.loads(told)["directives"]
    return dict(directive)
