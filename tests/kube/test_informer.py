"""The informer heals: whatever a watch misses, the store is right again soon."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from cynosure.kube.informer import Informer, ObjectKey, Store
from cynosure.kube.port import CONFIG_MAPS, Body, Listing

from tests.fakes.api_server import FakeApiServer
from tests.fakes.credentials import client
from tests.fakes.waiting import eventually


def config_map(name: str, version: int = 0, uid: str = "u1", **data: str) -> Body:
    metadata = {"name": name, "namespace": "shop", "uid": uid, "resourceVersion": str(version)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


@asynccontextmanager
async def watching(fake: FakeApiServer, changed: list[ObjectKey], *, optional: bool = False) -> AsyncIterator[Informer]:
    async with client(fake.url, stall_seconds=1.0) as api:
        informer = Informer(api, CONFIG_MAPS, changed=changed.append, optional=optional)
        task = asyncio.create_task(informer.run())
        try:
            yield informer
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def names(informer: Informer) -> set[str]:
    return {body["metadata"]["name"] for body in informer.store.items()}


KIND = ("", "v1", "configmaps")
TEST = ("test", "Update", "")


def create(fake: FakeApiServer, name: str) -> None:
    fake.storage.create((KIND, "shop", name), config_map(name), TEST)


async def test_synced_only_after_the_first_list(fake: FakeApiServer) -> None:
    create(fake, "one")
    async with watching(fake, changed := []) as informer:
        assert not informer.synced
        await eventually(lambda: informer.synced)
    assert changed == [("shop", "one")]


async def test_an_empty_list_wakes_once_too(fake: FakeApiServer) -> None:
    async with watching(fake, changed := []) as informer:
        await eventually(lambda: informer.synced)
    assert len(changed) == 1


async def test_changes_are_followed(fake: FakeApiServer) -> None:
    async with watching(fake, []) as informer:
        await eventually(lambda: informer.synced)
        create(fake, "one")
        await eventually(lambda: names(informer) == {"one"})
        fake.storage.delete((KIND, "shop", "one"))
        await eventually(lambda: names(informer) == set())


@pytest.mark.parametrize("forget", [False, True], ids=["history kept", "410 and relist"])
async def test_what_is_deleted_while_disconnected_is_found(fake: FakeApiServer, forget: bool) -> None:
    create(fake, "ghost")
    create(fake, "stays")
    async with watching(fake, changed := []) as informer:
        await eventually(lambda: names(informer) == {"ghost", "stays"})
        await fake.stop()
        fake.storage.delete((KIND, "shop", "ghost"))
        if forget:
            fake.compact()
        await fake.start()
        await eventually(lambda: names(informer) == {"stays"})
        assert changed[-1] == ("shop", "ghost")


@pytest.mark.slow
async def test_a_watch_that_stalls_is_opened_again(fake: FakeApiServer) -> None:
    async with watching(fake, []) as informer:
        await eventually(lambda: informer.synced)
        fake.faults.silent_watches = True
        create(fake, "one")
        await asyncio.sleep(0.3)
        assert names(informer) == set()
        await asyncio.sleep(1.0)  # longer than the stall limit
        fake.faults.silent_watches = False
        await eventually(lambda: names(informer) == {"one"})


async def test_server_errors_are_waited_for(fake: FakeApiServer) -> None:
    fake.faults.failures = [500, 429]
    create(fake, "one")
    async with watching(fake, []) as informer:
        await eventually(lambda: names(informer) == {"one"})


async def test_an_optional_kind_that_is_absent_counts_as_empty(fake: FakeApiServer) -> None:
    fake.faults.absent = {"configmaps"}
    async with watching(fake, [], optional=True) as informer:
        await eventually(lambda: informer.synced)
        assert names(informer) == set()


async def test_a_kind_that_must_be_there_is_waited_for(fake: FakeApiServer) -> None:
    fake.faults.absent = {"configmaps"}
    async with watching(fake, []) as informer:
        await asyncio.sleep(0.3)
        assert not informer.synced
        fake.faults.absent = set()
        await eventually(lambda: informer.synced)


class Now:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


ONE = ObjectKey("shop", "one")


def test_an_own_write_counts_until_the_watch_shows_it() -> None:
    store = Store(Now())
    store.observe(config_map("one", 5, a="old"))
    store.wrote(config_map("one", 7, a="new"))
    store.observe(config_map("one", 6, a="between"))
    assert store.get(ONE) == config_map("one", 7, a="new")
    store.observe(config_map("one", 7, a="new"))
    store.observe(config_map("one", 8, a="newer"))
    assert store.get(ONE) == config_map("one", 8, a="newer")


def test_a_late_answer_does_not_hide_what_the_watch_has_shown() -> None:
    store = Store(Now())
    store.observe(config_map("one", 9, a="newest"))
    store.wrote(config_map("one", 7, a="older"))
    assert store.get(ONE) == config_map("one", 9, a="newest")


def test_an_own_write_whose_echo_is_lost_expires() -> None:
    store = Store(now := Now())
    store.observe(config_map("one", 5, a="old"))
    store.wrote(config_map("one", 7, a="new"))
    now.seconds = 61
    assert store.get(ONE) == config_map("one", 5, a="old")


def test_what_we_deleted_is_hidden_until_the_watch_says_so() -> None:
    store = Store(Now())
    store.observe(config_map("one", 5))
    store.deleted(config_map("one", 5))
    store.observe(config_map("one", 6))  # it is being deleted
    assert store.get(ONE) is None
    store.forget(config_map("one", 7))
    assert store.get(ONE) is None


def test_what_is_created_anew_after_a_deletion_is_seen() -> None:
    store = Store(Now())
    store.observe(config_map("one", 5))
    store.deleted(config_map("one", 5))
    store.wrote(config_map("one", 8, uid="u2"))
    store.forget(config_map("one", 7))
    assert store.get(ONE) == config_map("one", 8, uid="u2")


def test_a_list_that_is_newer_than_a_write_ends_it() -> None:
    store = Store(Now())
    store.wrote(config_map("one", 7))
    assert store.replace(Listing([], "9")) == set()
    assert store.get(ONE) is None
