"""The errors of the control plane.

CynosureError
├── BadInput          what a person gave cannot be used; exit code 2 or a condition
├── Unavailable       a server did not answer in time or answered 5xx; try again later
├── Conflict          somebody else changed or owns the object or field; observe again
├── Refused           the server will never accept this; the reason goes into a condition
├── NotFound          the object or field is not there
└── Fatal             going on would be unsafe (the lease is lost); the process ends
"""


class CynosureError(Exception):
    """Root of what this package raises on purpose."""


class BadInput(CynosureError, ValueError):
    """One line: what is wrong, where, the limit, and the nearest thing that works."""


class Unavailable(CynosureError):
    """Worth trying again; ``retry_after_seconds`` is what the server asked for, if it did."""

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Conflict(CynosureError):
    """The object moved on, or ``owners`` hold fields that an apply wanted."""

    def __init__(self, message: str, *, owners: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.owners = owners


class Refused(CynosureError):
    """Permanent: invalid or forbidden."""


class NotFound(CynosureError):
    """The object, or the kind, does not exist."""


class Fatal(CynosureError):
    """Stop the process; a supervisor starts it again."""
