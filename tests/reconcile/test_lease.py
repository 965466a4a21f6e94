"""Two replicas and one Lease: never do both act."""

import asyncio
from dataclasses import dataclass

import pytest
from cynosure.errors import Fatal
from cynosure.kube.client import HttpKubeApi
from cynosure.kube.fence import Fenced
from cynosure.kube.port import CONFIG_MAPS
from cynosure.reconcile.lease import Lease
from cynosure.settings import LeaseSettings

from tests.fakes.api_server import FakeApiServer
from tests.fakes.credentials import client

SETTINGS = LeaseSettings(lease_namespace="shop", lease_seconds=15, renew_seconds=0.02, margin_seconds=6)


@dataclass
class Monotonic:
    seconds: float = 100.0

    def __call__(self) -> float:
        return self.seconds


def lease(api: HttpKubeApi, name: str, clock: Monotonic) -> Lease:
    return Lease(api, SETTINGS, name, monotonic=clock)


async def test_only_one_of_two_gets_it() -> None:
    clock = Monotonic()
    async with FakeApiServer() as server, client(server.url) as api:
        one, two = lease(api, "one", clock), lease(api, "two", clock)
        results = await asyncio.gather(one._try(), two._try())
        assert sorted(results) == [False, True]
        assert one.held != two.held


async def test_nothing_is_written_in_the_margin_before_another_may_take_over() -> None:
    clock = Monotonic()
    async with FakeApiServer() as server, client(server.url) as api:
        one, two = lease(api, "one", clock), lease(api, "two", clock)
        await one.acquire()
        assert not await two._try()
        fenced = Fenced(api, lambda: one.held)
        clock.seconds += 9.1  # 15 less the margin of 6
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "shop"}}
        with pytest.raises(Fatal, match="lease"):
            await fenced.create(CONFIG_MAPS, body)
        assert not await two._try()
        clock.seconds += 6
        assert await two._try()
        assert not one.held


async def test_the_clocks_of_the_two_need_not_agree() -> None:
    """The other's record counts by how long we saw it unchanged, not by the times in it."""
    early, late = Monotonic(0.0), Monotonic(1e9)
    async with FakeApiServer() as server, client(server.url) as api:
        one, two = lease(api, "one", early), lease(api, "two", late)
        await one.acquire()
        assert not await two._try()


async def test_a_holder_that_cannot_renew_ends_in_time() -> None:
    clock = Monotonic()
    async with FakeApiServer() as server, client(server.url) as api:
        one = lease(api, "one", clock)
        await one.acquire()
        server.faults.refuse = lambda method, path: 503
        keeping = asyncio.create_task(one.keep())
        await asyncio.sleep(0.1)
        assert not keeping.done()
        clock.seconds += 9.1
        with pytest.raises(Fatal, match="in time"):
            await asyncio.wait_for(keeping, 2)


async def test_a_holder_that_was_replaced_ends() -> None:
    clock = Monotonic()
    async with FakeApiServer() as server, client(server.url) as api:
        one, two = lease(api, "one", clock), lease(api, "two", clock)
        await one.acquire()
        await two._try()
        clock.seconds += 16
        assert await two._try()
        with pytest.raises(Fatal, match="two"):
            await asyncio.wait_for(one.keep(), 2)


async def test_a_lease_that_is_given_back_is_free_at_once() -> None:
    clock = Monotonic()
    async with FakeApiServer() as server, client(server.url) as api:
        one, two = lease(api, "one", clock), lease(api, "two", clock)
        await one.acquire()
        await one.release()
        assert not one.held
        assert await two._try()


async def test_the_same_name_goes_on_after_a_restart() -> None:
    clock = Monotonic()
    async with FakeApiServer() as server, client(server.url) as api:
        await lease(api, "pod-1", clock).acquire()
        assert await lease(api, "pod-1", clock)._try()
