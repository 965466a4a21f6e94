"""The generated files are up to date, bounded, documented, and what a structural schema may be."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import kubernetes_validate
import pytest
import yaml
from cynosure.api import crds, generate
from cynosure.api.inference_service import InferenceService
from cynosure.api.metadata import Naming, Resource
from cynosure.api.part import Part
from cynosure.api.schema import Schema, structural
from pydantic import Field

SCHEMAS = {kind.__name__: structural(kind) for kind in crds.KINDS}
FREE = {
    "InferenceService.spec.template",
    "ScalingIntent.status.plan.services[].manifest",
    "ScalingIntent.status.undo.services[].manifest",
}
"""A pod template, which the API server checks in the Deployment that it becomes; and whole InferenceServices."""


def nodes(path: str, node: Schema) -> Iterator[tuple[str, Schema]]:
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from nodes(f"{path}.{name}", child)
    if "items" in node:
        yield from nodes(f"{path}[]", node["items"])


ALL = [found for kind, schema in SCHEMAS.items() for found in nodes(kind, schema)]


def test_what_is_in_the_repository_is_what_the_models_say(repository: Path) -> None:
    assert generate.differences(repository) == ""


@pytest.mark.slow
def test_generating_is_deterministic() -> None:
    assert generate.files() == generate.files()


@pytest.mark.slow
def test_the_check_shows_what_differs(tmp_path: Path) -> None:
    generate.write(tmp_path)
    assert generate.differences(tmp_path) == ""
    changed = tmp_path / "crds" / "gpuclasses.yaml"
    changed.write_text(changed.read_text().replace("maximum: 4096", "maximum: 5000"))
    assert "maximum: 5000" in generate.differences(tmp_path)
    assert generate.main(["--check", "--root", str(tmp_path)]) == 1


@pytest.mark.parametrize("manifest", crds.manifests(), ids=lambda manifest: manifest["metadata"]["name"])
def test_manifests_are_valid_for_kubernetes(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, "1.36", strict=True)
    assert len(yaml.safe_dump(manifest)) < 200_000, "an annotation of kubectl apply holds 262144 bytes"


def test_everything_is_bounded() -> None:
    free = [path for path, node in ALL if not bounded(node)]
    assert set(free) == FREE


def bounded(node: Schema) -> bool:
    if node.get("x-kubernetes-preserve-unknown-fields"):
        return False
    if node.get("x-kubernetes-int-or-string"):
        return "maxLength" in node
    match node["type"]:
        case "string":
            return "maxLength" in node or "enum" in node
        case "array":
            return "maxItems" in node
        case "integer":
            return "minimum" in node and "maximum" in node
        case kind:
            return kind in ("object", "boolean")


def test_there_are_no_floats_and_no_nulls() -> None:
    assert not [path for path, node in ALL if node.get("type") == "number"]
    assert not [path for path, node in ALL if node.get("nullable") or "null" in str(node.get("type"))]


def test_every_field_says_what_it_is() -> None:
    known = {".apiVersion", ".kind", ".metadata", ".metadata.name"}
    silent = [p for p, node in ALL if not node.get("description") and not p.endswith("[]")]
    assert [path for path in silent if "." + path.partition(".")[2] not in known] == []


def test_every_list_says_how_it_merges() -> None:
    lists = [(path, node) for path, node in ALL if node.get("type") == "array"]
    assert [path for path, node in lists if "x-kubernetes-list-type" not in node] == []
    for path, node in lists:
        keys = node.get("x-kubernetes-list-map-keys", [])
        items = node["items"]
        free = [k for k in keys if k not in items["required"] and "default" not in items["properties"][k]]
        assert free == [], path


def test_status_has_no_default_so_that_it_says_nothing_before_the_operator_does() -> None:
    for schema in SCHEMAS.values():
        assert "default" not in schema["properties"]["status"]


@pytest.mark.parametrize("kind", crds.KINDS, ids=lambda kind: kind.__name__)
def test_every_default_of_a_model_is_in_the_schema(kind: type[Resource]) -> None:
    assert hidden_defaults(kind.model_fields["spec"].annotation, SCHEMAS[kind.__name__]["properties"]["spec"]) == []


def hidden_defaults(model: Any, node: Schema) -> list[str]:
    """Fields whose default the schema does not show; ``None`` is absence, which needs no showing."""
    hidden = []
    for name, info in model.model_fields.items():
        child = node["properties"][str(info.validation_alias or info.alias)]
        if not info.is_required() and info.default is not None and "default" not in child:
            hidden.append(name)
        if isinstance(info.annotation, type) and issubclass(info.annotation, Part):
            hidden += hidden_defaults(info.annotation, child)
    return hidden


def test_the_default_of_an_object_spells_out_those_inside() -> None:
    scale = SCHEMAS["InferenceService"]["properties"]["spec"]["properties"]["scale"]
    assert scale["default"] == {"min": 1, "max": 8, "replicas": 0, "zeroAfterSeconds": 600, "schedules": []}


def test_scale_paths_lead_to_fields_that_are_always_there() -> None:
    (version,) = crds.manifest(InferenceService)["spec"]["versions"]
    assert version["subresources"]["scale"]["specReplicasPath"] == ".spec.scale.replicas"
    assert version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["scale"]["default"]["replicas"] == 0


def test_what_no_structural_schema_can_say_is_refused() -> None:
    class Spec(Part):
        either: Annotated[int | str, Field(description="a union")]

    class Odd(Resource):
        """A kind that cannot be."""

        naming = Naming(plural="odds", short="odd", columns=())
        spec: Spec
        status: Spec

    with pytest.raises(ValueError, match="anyOf: a structural schema has no unions"):
        structural(Odd)


def test_short_names_and_plurals_are_our_own() -> None:
    names = [kind.naming.short for kind in crds.KINDS] + [kind.naming.plural for kind in crds.KINDS]
    assert len(set(names)) == len(names)
