"""What runs inside an inference pod: the emulated engine, whose timing comes from a measured profile."""
