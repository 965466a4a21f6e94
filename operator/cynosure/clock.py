"""Time as a dependency, so that tests and the twin decide what time it is."""

import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Returns Unix seconds."""

system_clock: Clock = time.time
