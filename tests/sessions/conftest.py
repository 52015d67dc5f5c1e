"""The world around a session."""

from session_world import agent, documents, machines, server

__all__ = ["agent", "documents", "machines", "server"]
