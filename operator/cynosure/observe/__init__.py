"""What is: the cluster and its metrics, read into one frozen Snapshot."""
