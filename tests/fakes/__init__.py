"""Stand-ins for what is outside of the process, proved by running the same tests against the real thing."""
