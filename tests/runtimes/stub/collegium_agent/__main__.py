"""Says hello to whoever connects, or runs what they send: a line of Python, answered with what it printed."""

import os
import socket
import subprocess
import sys


def main() -> None:
    """Serve for ever; a line `exit` ends it, and so the runtime."""
    listener = socket.socket(fileno=3)
    while True:
        connection, _ = listener.accept()
        with connection, connection.makefile("rw") as lines:
            lines.write("hello\n")
            lines.flush()
            line = lines.readline().strip()
            if line == "exit":
                os._exit(0)
            if line and "\0" not in line:  # the pool asks in frames whether a kernel is warm
                result = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True)
                lines.write(result.stdout + result.stderr)


main()
