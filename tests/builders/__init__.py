"""Builders of what tests are about: one line each, every detail that does not matter left out."""
