"""The REST and WebSocket interface of Jupyter Server, for every client that speaks it."""
