"""What becomes of a ScalingIntent: grounding, dry run, approval, bounds in force, verification, undo. Pure.

A directive is either a **bound**, which limits planning while its intent is in force, or a **write** to the spec of a
service. Time, objects, evidence and the dry run come in as arguments; ``reconcile.lifecycle`` fetches and writes.
"""
