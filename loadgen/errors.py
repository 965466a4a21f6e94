"""What a person can get wrong; the program turns each into one line and exit code 2."""


class BadLoadInput(ValueError):
    """One line: what is wrong, where, the limit, and the nearest thing that works."""


class ScheduleTooLarge(BadLoadInput):
    """The schedule does not fit where it should travel."""


class TargetRefused(BadLoadInput):
    """The load would leave the places that it may be sent to."""


class MissingProgram(BadLoadInput):
    """An engine's outside program is not on PATH."""
