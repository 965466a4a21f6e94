"""A real Kubernetes on one machine, without Docker, whose nodes have simulated MIG GPUs.

`command` is what a person types, `lifecycle` the order in which a cluster comes up and goes down; every other module
is one concern of it. See docs/testbed.md.
"""
