"""What can go wrong with a testbed beyond bad input."""

from cynosure.errors import CynosureError


class TestbedFailed(CynosureError):
    """A step did not work; the message ends with where to look."""

    __test__ = False  # the name begins as pytest's classes do
