"""The partition names that the API knows, so that a misspelt one is refused when it is written."""

from typing import Final

from cynosure.model.mig import GEOMETRIES, WHOLE_GPU

PARTITIONS: Final = (
    *sorted({profile.name for geometry in GEOMETRIES.values() for profile in geometry.profiles}),
    WHOLE_GPU,
)
"""Of every product; ``WHOLE_GPU`` is one without MIG."""
