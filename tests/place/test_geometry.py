"""What MIG allows, checked against counts that were found by brute force elsewhere, and against compiled sources."""

from pathlib import Path

import pytest
import yaml
from cynosure.model.mig import GEOMETRIES, geometry_of, product_of
from cynosure.place.layouts import maximal_layouts
from cynosure.place.patterns import arrangement

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


def test_media_extensions_stand_once_on_a_gpu_whatever_their_size() -> None:
    a30 = geometry_of("A30-24GB")
    assert a30.legal([("1g.6gb+me", 0), ("2g.12gb", 2)])
    assert not a30.legal([("1g.6gb+me", 0), ("2g.12gb+me", 2)])
    assert "2g.12gb+me" not in {name for layout in maximal_layouts("A30-24GB") for name, _ in layout}


def test_the_table_agrees_with_the_sources(shared_data: Path) -> None:
    """Not with the published mocks that have wrong sizes: those are named in the file."""
    compiled = yaml.safe_load((shared_data / "mig_profiles" / "mig_profiles.yaml").read_text())["gpus"]
    for product, facts in compiled.items():
        geometry = geometry_of(product)
        assert (geometry.memory_slices, geometry.compute_slices) == (
            facts["memory_slices_total"],
            facts["compute_slices_total"],
        )
        known = {p.name: (p.compute_slices, p.memory_slices, list(p.starts), p.most) for p in geometry.profiles}
        assert known == {
            name: (p["gpcs"], p["size"], p["placements"], p["max"]) for name, p in facts["profiles"].items()
        }


def test_geometries_that_nos_publishes_are_legal_but_for_its_misprints(shared_data: Path) -> None:
    published = yaml.safe_load((shared_data / "mig_profiles" / "nos_known_mig_geometries.yaml").read_text())
    products = {"A30": "A30-24GB", "A100-SXM4-40GB": "A100-40GB", "NVIDIA-A100-SXM4-80GB": "A100-80GB"}
    misprints = {"3g.20gb", "7g.79gb"}
    for entry in published:
        product = products[entry["models"][0]]
        for counts in entry["allowedGeometries"]:
            if product == "A100-80GB" and misprints & set(counts):
                continue
            assert arrangement(product, (), tuple(sorted(counts.items()))) is not None, counts


OTHER_PRODUCTS = [{"1g.35gb": 7}, {"1g.35gb": 2, "2g.70gb": 1, "3g.139gb": 1}]
"""Of B300, where 1g.35gb is one slice of memory; on an H200 it is two."""


def test_layouts_of_mig_parted_are_legal_on_a_gpu_that_has_their_names(shared_data: Path) -> None:
    """The default file has those of all products; names that none of ours has are of others."""
    published = yaml.safe_load((shared_data / "mig_profiles" / "mig-parted_config-default.yaml").read_text())
    entries = [entry for entries in published["mig-configs"].values() for entry in entries]
    layouts = [entry["mig-devices"] for entry in entries if entry.get("mig-devices")]
    checked = 0
    for counts in layouts:
        having = [p for p, g in GEOMETRIES.items() if all(g.profile(name) for name in counts)]
        if having and counts not in OTHER_PRODUCTS:
            checked += 1
            assert any(arrangement(p, (), tuple(sorted(counts.items()))) is not None for p in having), counts
    assert checked > 40
