"""A port to the API server whose process dies after the nth write."""

from typing import Any

from cynosure.kube.fence import Fenced
from cynosure.kube.port import KubeApi


class Killed(BaseException):
    """SIGKILL, as far as the process can tell: nothing may catch it and go on."""


class Dying(Fenced):
    """The nth write still reaches the server; its answer never reaches the process."""

    def __init__(self, api: KubeApi, after: int) -> None:
        super().__init__(api, lambda: True)
        self.left = after

    async def create(self, *args: Any, **kwargs: Any) -> Any:
        return self._or_die(await super().create(*args, **kwargs))

    async def apply(self, *args: Any, **kwargs: Any) -> Any:
        return self._or_die(await super().apply(*args, **kwargs))

    async def patch(self, *args: Any, **kwargs: Any) -> Any:
        return self._or_die(await super().patch(*args, **kwargs))

    async def delete(self, *args: Any, **kwargs: Any) -> None:
        self._or_die(await super().delete(*args, **kwargs))

    def _check(self) -> None:
        if self.left <= 0:
            raise Killed  # what else the process had begun when it died

    def _or_die(self, answer: Any) -> Any:
        self.left -= 1
        if self.left <= 0:
            raise Killed
        return answer
