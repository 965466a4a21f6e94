"""The frozen vocabulary of a planning pass: what is, what is wanted, what was decided. No I/O, no clock."""
