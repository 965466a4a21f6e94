"""Transforms as text, one option each: ``--transform scale=1.3 --transform flash-crowd=600:60:5``."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, get_args

from loadgen.errors import BadLoadInput
from loadgen.readers import read_trace
from loadgen.regions import Region, Regions
from loadgen.transforms import Scale, Slice, Transform
from loadgen.what_if import (
    Append,
    Average,
    BootstrapDays,
    FlashCrowd,
    GapMode,
    Gaps,
    Normalise,
    Shift,
    Splice,
    Superpose,
)


def parse_transforms(texts: Iterable[str]) -> list[Transform]:
    """Read ``NAME=ARGUMENTS``; BadLoadInput names the step that is not so, and how it is written."""
    return [_parsed(text) for text in texts]


def _parsed(text: str) -> Transform:
    name, _, arguments = text.partition("=")
    if name not in _STEPS:
        raise BadLoadInput(f"transform: {name!r} is unknown; one of {', '.join(form for form, _ in _STEPS.values())}")
    form, make = _STEPS[name]
    try:
        return make(arguments)
    except BadLoadInput:
        raise
    except (ValueError, TypeError):
        raise BadLoadInput(f"transform: {text!r} cannot be read; write {form}") from None


def _numbers(make: Callable[..., Transform]) -> Callable[[str], Transform]:
    return lambda text: make(*map(float, text.split(":")))


def _thin(text: str) -> Transform:
    if not 0 < float(text) <= 1:
        raise ValueError(text)
    return Scale(float(text))


def _splice(text: str) -> Transform:
    return Splice(tuple((float(a), float(b)) for a, _, b in (part.partition(":") for part in text.split("+"))))


def _regions(text: str) -> Transform:
    return Regions(tuple(Region(float(a), float(b)) for a, _, b in (part.partition(":") for part in text.split("+"))))


def _gaps(text: str) -> Transform:
    mode: Any = text
    if mode not in get_args(GapMode):
        raise ValueError(text)
    return Gaps(mode)


_STEPS: dict[str, tuple[str, Callable[[str], Transform]]] = {
    "scale": ("scale=FACTOR", _numbers(Scale)),
    "thin": ("thin=SHARE (up to 1)", _thin),
    "slice": ("slice=FROM:UNTIL", _numbers(Slice)),
    "splice": ("splice=FROM:UNTIL+FROM:UNTIL", _splice),
    "append": ("append=FILE", lambda text: Append(read_trace(Path(text)))),
    "superpose": ("superpose=FILE", lambda text: Superpose(read_trace(Path(text)))),
    "shift": ("shift=SECONDS", _numbers(Shift)),
    "regions": ("regions=WEIGHT:UTC_OFFSET_HOURS+WEIGHT:UTC_OFFSET_HOURS", _regions),
    "flash-crowd": ("flash-crowd=AT:LASTING:TIMES", _numbers(FlashCrowd)),
    "bootstrap-days": ("bootstrap-days=DAYS", lambda text: BootstrapDays(int(text))),
    "gaps": (f"gaps={'|'.join(get_args(GapMode))}", _gaps),
    "average": ("average=SECONDS", _numbers(Average)),
    "normalise": ("normalise", lambda text: Normalise()),
}

FORMS = tuple(form for form, _ in _STEPS.values())
