"""The loop (in the making): see ``PassResult`` for what each pass publishes as ``Loop.latest``."""

from cynosure.reconcile.result import PassResult

__all__ = ["PassResult"]
