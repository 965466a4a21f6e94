"""HiGHS as every program here starts it: silent, on one thread, with one seed."""

import highspy


class QuietHighs(highspy.Highs):
    """HiGHS writes a header to the standard output as soon as callbacks are set, which its constructor does."""

    def enableCallbacks(self) -> None:  # noqa: N802  (its name there)
        self.setOptionValue("output_flag", False)
        super().enableCallbacks()  # type: ignore[no-untyped-call]


def quiet_highs(**options: float | str) -> highspy.Highs:
    """The same program gives the same answer, unless a time limit among the ``options`` cuts it short."""
    model = QuietHighs()  # type: ignore[no-untyped-call]
    for option, value in {"threads": 1, "random_seed": 1, **options}.items():
        model.setOptionValue(option, value)
    return model
