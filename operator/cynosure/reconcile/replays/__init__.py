"""The life of TrafficReplays on a cluster: a schedule, Jobs that send it, what came back, a verdict, the end.

``Replays`` runs beside the planning loop, under the same lease. It writes the status of TrafficReplays, and the
ConfigMaps and Jobs that they own. Everything that it needs to know is in the cluster, so it can be killed any time.
"""

from cynosure.reconcile.replays.task import Replays

__all__ = ["Replays"]
