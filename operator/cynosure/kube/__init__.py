"""The only code that talks to the Kubernetes API: the port, its adapter, and the informer."""
