"""Sandboxed machines on loan: engines, runtime versions, what is requested and released."""
