"""Profiles by name: those of ``examples/profiles``, which an installed package carries along."""

from importlib.resources import files
from pathlib import Path
from typing import Final

from cynosure.errors import BadInput
from cynosure.model.profile import Profile
from cynosure.size.measured import read_profile

DEFAULT: Final = "opt-1.3b"

_INSTALLED: Final = Path(str(files("cynosure"))) / "profiles"
_CHECKOUT: Final = Path(__file__).resolve().parents[3] / "examples" / "profiles"


def profile_named(text: str) -> Profile:
    """Read a file, or a built-in by its name. :raises BadInput: it is neither, or no profile."""
    if Path(text).is_file():
        return read_profile(Path(text))
    folder = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
    known = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    if text not in known:
        raise BadInput(f"--profile: {text!r} is no file and no built-in; there are {', '.join(known) or 'none'}")
    return read_profile(known[text])
