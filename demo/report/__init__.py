"""The report of a demo run: plots, and one HTML file that needs nothing else."""
