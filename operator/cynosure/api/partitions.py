"""The partition names that the API knows, so that a misspelt one is refused when it is written.

Names per product: NVIDIA MIG User Guide v580, "Supported MIG profiles"; geometry is in ``model.mig``.
"""

from types import MappingProxyType
from typing import Final

WHOLE: Final = "gpu"
"""A whole GPU, without MIG."""

BY_PRODUCT: Final = MappingProxyType(
    {
        "A30-24GB": ("1g.6gb", "1g.6gb+me", "2g.12gb", "2g.12gb+me", "4g.24gb"),
        "A100-40GB": ("1g.5gb", "1g.5gb+me", "1g.10gb", "2g.10gb", "3g.20gb", "4g.20gb", "7g.40gb"),
        "A100-80GB": ("1g.10gb", "1g.10gb+me", "1g.20gb", "2g.20gb", "3g.40gb", "4g.40gb", "7g.80gb"),
        "H100-80GB": ("1g.10gb", "1g.10gb+me", "1g.20gb", "2g.20gb", "3g.40gb", "4g.40gb", "7g.80gb"),
        "H200-141GB": ("1g.18gb", "1g.18gb+me", "1g.35gb", "2g.35gb", "3g.71gb", "4g.71gb", "7g.141gb"),
        "B200-180GB": ("1g.23gb", "1g.23gb+me", "1g.45gb", "2g.45gb", "3g.90gb", "4g.90gb", "7g.180gb"),
    }
)

PARTITIONS: Final = (*sorted({name for names in BY_PRODUCT.values() for name in names}), WHOLE)
