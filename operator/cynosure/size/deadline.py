"""How many images a set of GPUs classifies before a deadline, each in runs of a fixed minibatch.

A GPU with minibatch m and t extra runs works on (t + 1)·m images; warming up takes c + d·m seconds and each extra run
a + b·m. GPUs do not depend on each other, so trying every m for each of them is exact, and the fewest GPUs for a
number of images are those that do the most.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from cynosure.api.parse import describe
from cynosure.errors import BadInput

_Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0, le=10_000_000)]


class ImageGpu(BaseModel):
    """One GPU: seconds of a run and of the warm-up as [constant, per image]."""

    model_config = ConfigDict(frozen=True)

    latency_seconds: tuple[_Seconds, _Seconds]
    warmup_seconds: tuple[_Seconds, _Seconds]
    max_minibatch: Annotated[int, Field(ge=1, le=1_000_000)]
    max_runs: _Count


@dataclass(frozen=True, slots=True)
class Share:
    """What one GPU does: ``runs`` are those after the warm-up."""

    index: int
    minibatch: int
    runs: int
    seconds: float

    @property
    def images(self) -> int:
        return (self.runs + 1) * self.minibatch


def most_images(gpus: Sequence[ImageGpu], deadline_seconds: float) -> tuple[Share, ...]:
    """Return each GPU's largest share, sooner done if equal; GPUs that do not even warm up in time are left out."""
    best = (_best(index, gpu, deadline_seconds) for index, gpu in enumerate(gpus))
    return tuple(share for share in best if share is not None)


def fewest_gpus(gpus: Sequence[ImageGpu], images: int, deadline_seconds: float) -> tuple[Share, ...] | None:
    """Return the fewest GPUs that do at least ``images``; None when all together do not."""
    chosen: list[Share] = []
    done = 0
    for share in sorted(most_images(gpus, deadline_seconds), key=lambda share: (-share.images, share.index)):
        if done >= images:
            break
        chosen.append(share)
        done += share.images
    return tuple(sorted(chosen, key=lambda share: share.index)) if done >= images else None


def read_gpus(path: Path) -> tuple[ImageGpu, ...]:
    """:raises BadInput: naming the file and the field."""
    try:
        found = TypeAdapter(tuple[ImageGpu, ...]).validate_python(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise BadInput(f"{path}: {describe(error)}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: not JSON ({error}); write a list with one object for each GPU") from error
    if not found:
        raise BadInput(f"{path}: an empty list; write one object for each GPU")
    return found


def _best(index: int, gpu: ImageGpu, deadline_seconds: float) -> Share | None:
    shares = (_share(index, gpu, minibatch, deadline_seconds) for minibatch in range(1, gpu.max_minibatch + 1))
    return max((s for s in shares if s is not None), key=lambda s: (s.images, -s.seconds), default=None)


def _share(index: int, gpu: ImageGpu, minibatch: int, deadline_seconds: float) -> Share | None:
    warmup = gpu.warmup_seconds[0] + gpu.warmup_seconds[1] * minibatch
    run = gpu.latency_seconds[0] + gpu.latency_seconds[1] * minibatch
    left = deadline_seconds - warmup
    if left < 0:
        return None
    runs = gpu.max_runs if run * gpu.max_runs <= left else floor(left / run + 1e-9)
    return Share(index, minibatch, runs, warmup + runs * run)
