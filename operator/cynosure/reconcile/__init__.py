"""When to plan and who may act: wake-up, the loop, the lease, and the life of intents."""
