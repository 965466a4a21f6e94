"""From a plan to the cluster: manifests (pure), what differs, and the minimal writes in a safe order."""
