"""A node's GPUs as a DRA driver publishes them, so that the scheduler can allocate only what MIG allows.

Rules of Kubernetes 1.35 and later (KEP-4815, partitionable devices): a slice carries shared counters or devices, never
both; all slices of a pool say how many there are; at most 64 devices that use counters fit into one. Every partition is
a device that consumes the memory slices under it and its compute slices, as NVIDIA's own driver models it; media
extensions, of which a GPU has one, are counted too.
"""

from typing import Any, Final

from cynosure.model.mig import WHOLE_GPU, Profile, geometry_of

DRIVER: Final = "gpu.cynosure.dev"
"""Our own name: nothing simulated may pass for NVIDIA's hardware."""

MIG_CLASS: Final = "mig.cynosure.dev"
GPU_CLASS: Final = "gpu.cynosure.dev"

_MOST_COUNTER_SETS = 8  # in one slice
_MEDIA: Final = "media-extensions"

Body = dict[str, Any]


def gpu_uuid(node: str, index: int) -> str:
    return f"GPU-{node}-{index}"


def resource_slices(node: str, product: str, count: int, *, generation: int = 1) -> list[Body]:
    """Return the ResourceSlices of ``count`` equal GPUs: first all counters, then the devices of each GPU."""
    counters = [_counters(index, product) for index in range(count)]
    batches = [counters[first : first + _MOST_COUNTER_SETS] for first in range(0, count, _MOST_COUNTER_SETS)]
    contents: list[Body] = [{"sharedCounters": batch} for batch in batches]
    contents += [{"devices": _devices(node, index, product)} for index in range(count)]
    pool = {"name": node, "generation": generation, "resourceSliceCount": len(contents)}
    return [
        {
            "apiVersion": "resource.k8s.io/v1",
            "kind": "ResourceSlice",
            "metadata": {"name": f"{node}-{DRIVER}-{number}"},
            "spec": {"driver": DRIVER, "nodeName": node, "pool": pool, **content},
        }
        for number, content in enumerate(contents)
    ]


def device_classes() -> list[Body]:
    """Return the classes that claims ask for: partitions, and whole GPUs."""
    return [_class(MIG_CLASS, "mig"), _class(GPU_CLASS, "gpu")]


def extended_resources(product: str, count: int, layout: dict[str, int]) -> dict[str, str]:
    """Return the capacity of a node whose GPUs all have the same ``layout`` (profile to number), for a device plugin.

    :raises KeyError: the product has no such profile.
    """
    geometry = geometry_of(product)
    for name in layout:
        geometry.gpu_share(name)
    return {f"nvidia.com/mig-{name.replace('+', '.')}": str(number * count) for name, number in layout.items()}


def largest_counts(product: str) -> dict[str, int]:
    """Return how often each profile fits a GPU that has nothing else."""
    return {profile.name: profile.most for profile in geometry_of(product).profiles}


def _class(name: str, kind: str) -> Body:
    rule = f"device.driver == '{DRIVER}' && device.attributes['{DRIVER}'].type == '{kind}'"
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "DeviceClass",
        "metadata": {"name": name},
        "spec": {"selectors": [{"cel": {"expression": rule}}]},
    }


def _counters(index: int, product: str) -> Body:
    geometry = geometry_of(product)
    slices = {f"memory-slice-{n}": {"value": "1"} for n in range(geometry.memory_slices)}
    media = {_MEDIA: {"value": "1"}} if any(profile.has_media for profile in geometry.profiles) else {}
    compute = {"compute-slices": {"value": str(geometry.compute_slices)}}
    return {"name": _set(index), "counters": {**compute, **slices, **media}}


def _devices(node: str, index: int, product: str) -> list[Body]:
    geometry = geometry_of(product)
    whole = Profile(WHOLE_GPU, geometry.compute_slices, geometry.memory_slices, geometry.memory_gib, (0,))
    profiles = [profile for profile in geometry.profiles if profile.name != WHOLE_GPU]
    partitions = [(profile, start) for profile in profiles for start in profile.starts]
    return [_device(node, index, product, profile, start) for profile, start in (*partitions, (whole, 0))]


def _device(node: str, index: int, product: str, profile: Profile, start: int) -> Body:
    is_whole = profile.name == WHOLE_GPU
    attributes = {
        "type": {"string": "gpu" if is_whole else "mig"},
        "productName": {"string": product},
        "parentUUID": {"string": gpu_uuid(node, index)},
        "index": {"int": index},
        "start": {"int": start},
        **({} if is_whole else {"profile": {"string": profile.name}}),
    }
    return {
        "name": f"gpu-{index}" if is_whole else f"gpu-{index}-mig-{_name(profile.name)}-{start}",
        "attributes": attributes,
        "capacity": {"memory": {"value": f"{profile.memory_gib}Gi"}},
        "consumesCounters": [{"counterSet": _set(index), "counters": _consumed(profile, start)}],
    }


def _consumed(profile: Profile, start: int) -> Body:
    slices = range(start, start + profile.memory_slices)
    return {
        "compute-slices": {"value": str(profile.compute_slices)},
        **{f"memory-slice-{n}": {"value": "1"} for n in slices},
        **({_MEDIA: {"value": "1"}} if profile.has_media else {}),
    }


def _name(profile: str) -> str:
    """``1g.10gb+me`` is no DNS label; ``1g10gb-me`` is."""
    return profile.replace(".", "").replace("+", "-")


def _set(index: int) -> str:
    return f"gpu-{index}-counters"
