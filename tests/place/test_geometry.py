"""What MIG allows, checked against counts that were found by brute force elsewhere."""

import pytest
from cynosure.model.mig import GEOMETRIES, geometry_of, product_of
from cynosure.place.layouts import maximal_layouts

SEVEN_SLICES = [product for product, geometry in GEOMETRIES.items() if geometry.compute_slices == 7]
A100 = geometry_of("A100-80GB")


@pytest.mark.parametrize(
    ("product", "layouts", "multisets"), [*((p, 78, 38) for p in SEVEN_SLICES), ("A30-24GB", 5, 4)]
)
def test_there_are_as_many_maximal_layouts_as_published(product: str, layouts: int, multisets: int) -> None:
    found = maximal_layouts(product)
    assert len(found) == len(set(found)) == layouts
    assert len({tuple(sorted(name for name, _ in layout)) for layout in found}) == multisets


@pytest.mark.parametrize(
    ("spots", "legal"),
    [
        ([("3g.40gb", 0), ("3g.40gb", 4)], True),
        ([("4g.40gb", 0), ("3g.40gb", 4)], True),
        ([("3g.40gb", 0), ("4g.40gb", 4)], False),
        ([("3g.40gb", 0), ("2g.20gb", 4), ("1g.10gb", 6)], True),
        ([("1g.10gb", 0), ("3g.40gb", 0)], False),
        ([("7g.80gb", 0), ("1g.10gb", 6)], False),
        ([("1g.10gb", 7)], False),
        ([("1g.10gb+me", 0), ("1g.10gb+me", 1)], False),
        ([("5g.50gb", 0)], False),
    ],
    ids=str,
)
def test_partitions_stand_together_only_where_the_driver_lets_them(spots: list[tuple[str, int]], legal: bool) -> None:
    assert A100.legal(spots) is legal


def test_scattered_small_partitions_block_a_large_one() -> None:
    assert A100.free_starts([("1g.10gb", 0), ("1g.10gb", 1), ("1g.10gb", 5)], "3g.40gb") == ()
    assert A100.free_starts([("1g.10gb", 0), ("1g.10gb", 1), ("1g.10gb", 2)], "3g.40gb") == (4,)


@pytest.mark.parametrize(
    ("reported", "product"),
    [
        ("NVIDIA A100-SXM4-80GB", "A100-80GB"),
        ("NVIDIA A100-PCIE-40GB", "A100-40GB"),
        ("NVIDIA H100 80GB HBM3", "H100-80GB"),
        ("A100-80GB", "A100-80GB"),
        ("NVIDIA L4", "NVIDIA L4"),
    ],
)
def test_products_are_known_by_the_names_that_drivers_report(reported: str, product: str) -> None:
    assert product_of(reported) == product


def test_a_product_that_is_not_known_is_used_whole() -> None:
    unknown = geometry_of("NVIDIA L4")
    assert [profile.name for profile in unknown.profiles] == ["gpu"]
    assert unknown.gpu_share("gpu") == 1.0
