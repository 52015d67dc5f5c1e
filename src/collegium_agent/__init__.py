"""The little program inside a runtime: PID 1, the agent and its journal."""
