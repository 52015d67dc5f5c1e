"""Servers that tests start end with the tests, however those end."""

import os
import subprocess
from pathlib import Path

WATCH = """
while kill -0 "$1" 2>/dev/null; do sleep 2; done
for file in "$2"/data/postmaster.pid "$2"/*.pid; do
    [ -f "$file" ] && kill -QUIT "$(head -n 1 "$file")" 2>/dev/null
done
sleep 1
umount "$2/disk" 2>/dev/null
rm -rf "$2"
"""


def cleaned_up(folder: Path) -> "subprocess.Popen[bytes]":
    """When this process is gone: end what wrote its number into the folder, and remove that.

    Whoever does so itself before ends what this gives back.
    """
    return subprocess.Popen(
        ["sh", "-c", WATCH, "sh", str(os.getpid()), str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )
