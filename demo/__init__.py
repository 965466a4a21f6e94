"""The main job, end to end: a cluster, two services with SLOs, a day of real traffic, a sentence, a report."""
