"""Notebooks that are open now: synchronisation, presence, durable edits."""
