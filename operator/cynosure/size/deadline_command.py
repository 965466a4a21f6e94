"""``cynosure size images``: how many images GPUs classify before a deadline, or how few GPUs do it."""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from cynosure.errors import BadInput
from cynosure.size.answer import write_answer
from cynosure.size.deadline import ImageGpu, Share, earliest_seconds, fewest_gpus, most_images, read_gpus


def register(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--gpus", type=Path, required=True, metavar="FILE", help="a JSON list, one object for each GPU")
    parser.add_argument("--images", type=int, metavar="N", help="use the fewest GPUs for N (default: do the most)")
    parser.add_argument("--deadline-seconds", type=float, required=True, metavar="T")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Return 1 when there is no answer in time. :raises BadInput: for what cannot be read."""
    images, deadline_seconds = arguments.images, arguments.deadline_seconds
    if images is not None and images < 1:
        raise BadInput(f"--images: got {images}; must be at least 1")
    if not 0 < deadline_seconds < math.inf:
        raise BadInput(f"--deadline-seconds: got {deadline_seconds:g}; must be above 0")
    gpus, began = read_gpus(arguments.gpus), perf_counter()
    found = fewest_gpus(gpus, images, deadline_seconds) if images else most_images(gpus, deadline_seconds)
    solve_seconds, shares = perf_counter() - began, found or ()
    done = sum(share.images for share in shares)
    told = f"{done} images on {len(shares)} of {len(gpus)} GPUs"
    answer = {
        "gpus": [{"index": s.index, "minibatch": s.minibatch, "runs": s.runs} for s in shares],
        "gpus_used": len(shares),
        "images": done,
        "seconds": max((share.seconds for share in shares), default=0.0),
        "optimal": bool(shares),
        "solve_seconds": solve_seconds,
        "reason": told if shares else _impossible(gpus, images or 1, deadline_seconds),
    }
    write_answer(answer, [*map(_line, shares), str(answer["reason"])], as_json=arguments.json)
    return 0 if shares else 1


def _impossible(gpus: Sequence[ImageGpu], images: int, deadline_seconds: float) -> str:
    most = sum(share.images for share in most_images(gpus, deadline_seconds))
    able = f"{len(gpus)} GPUs do at most {most} images in {deadline_seconds:g} s, not {images}"
    sooner = earliest_seconds(gpus, images)
    if sooner is None:
        return f"{able}; max_minibatch and max_runs allow no more in any time, so add GPUs"
    return f"{able}; that takes them {(1 + 1e-5) * sooner:.6g} s, so allow as much or add GPUs"


def _line(share: Share) -> str:
    return f"GPU {share.index}: {share.minibatch} at a time, {share.runs} runs after the warm-up, {share.seconds:.3f} s"
