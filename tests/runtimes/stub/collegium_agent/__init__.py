"""Stands in for the agent where a test only needs somebody to answer."""
