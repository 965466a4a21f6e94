"""numba where it is installed, with the types of what it compiles kept for those who call it.

Without it the same code runs as it is written, some hundred times as slow: the operator's image has no compiler, and
a replay that it simulates has thousands of requests and not millions.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

try:
    import numba

    _njit: Any = numba.njit
except ModuleNotFoundError:
    _njit = None

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """Compile on the first call and keep the machine code on disk, so that the next start need not."""
    if _njit is None:
        return function
    try:
        return cast("_Function", _njit(cache=True, error_model="numpy")(function))
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return cast("_Function", _njit(error_model="numpy")(function))
