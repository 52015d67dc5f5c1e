"""The local engine: a process of its own that makes sandboxed runtimes on this machine."""
