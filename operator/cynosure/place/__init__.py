"""Where: partitions on GPU slices, with few GPUs, no needless move, and a proof of how good the answer is."""
