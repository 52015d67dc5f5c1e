"""Copies of a whole installation that can be checked, and restored elsewhere."""
