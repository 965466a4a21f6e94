"""Many services with a rate each, for tests and for the benchmark."""

from random import Random

from cynosure.place.need import Need

from tests.place.files import A100

GPCS = {"1g.10gb": 1, "2g.20gb": 2, "3g.40gb": 3, "4g.40gb": 4, "7g.80gb": 7}


def rates_of(count: int, seed: int, scale: float = 3.0) -> list[Need]:
    """Services of unlike size, whose throughput grows a little less or more than with the compute slices."""
    chance, needs = Random(seed), []
    for number in range(count):
        base, power = chance.uniform(50, 500), chance.uniform(0.7, 1.1)
        worth = {name: base * gpcs**power for name, gpcs in GPCS.items()}
        needs.append(Need(f"s{number}", A100, base * chance.lognormvariate(0, 1) * scale, worth))
    return needs
