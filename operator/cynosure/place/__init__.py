"""Where: partitions on GPU slices, with few GPUs, no needless move, and a proof of how good the answer is.

``solve.place`` adds to what stands, inside a planning pass. ``fleet.place_fleet`` places everything anew, for
``cynosure place``; ``steps.steps_between`` leads from one placement to another.
"""
