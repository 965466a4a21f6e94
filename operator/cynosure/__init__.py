"""Cynosure: serve AI models on shared GPUs within an SLO, ahead of the load, and say why."""

__version__ = "0.1.0"
