"""Messages to and from the kernels of a runtime, through its agent."""
