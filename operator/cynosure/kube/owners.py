"""Owner references: what one of our objects owns goes with it, whether the operator runs or not."""

from cynosure.kube.port import Body


def owner_reference(api_version: str, kind: str, name: str, uid: str) -> Body:
    """Return that of a controller that can be deleted before what it owns."""
    return {
        "apiVersion": api_version,
        "kind": kind,
        "name": name,
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }


def is_owned_by(body: Body, uid: str) -> bool:
    return any(owner.get("uid") == uid for owner in body["metadata"].get("ownerReferences") or ())
