"""Programs that run inside a runtime on the server's errand; each is one text, with its arguments as JSON in front."""

import json
from typing import Any

BEGIN, END = "=== lock begins ===", "=== lock ends ==="

_INSTALL = """
import os, pathlib, subprocess, sys, sysconfig, tempfile
folder = tempfile.mkdtemp()
lock = pathlib.Path(folder, "pylock.toml")
lock.write_text(arguments["lock"])
uv = os.path.join(sysconfig.get_path("scripts"), "uv")
command = [uv, "--color", "never", "pip", "install", "--python", sys.executable, "--compile-bytecode", "-r", str(lock)]
process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
lines = []
for line in process.stdout:
    print(line, end="", flush=True)
    lines = [*lines[-8:], line.strip()]
if process.wait():
    raise RuntimeError(" ".join(lines)[-400:])
"""

_LOCK = """
import json, os, pathlib, re, subprocess, sys, sysconfig, tempfile
uv = os.path.join(sysconfig.get_path("scripts"), "uv")
def run(*words, **more):
    done = subprocess.run([uv, "--color", "never", *words], capture_output=True, text=True, **more)
    if done.returncode:
        raise RuntimeError(" ".join(done.stderr.split())[-400:])
    return done.stdout
base = {tuple(one) for one in arguments["base"]}
wanted = []
for line in run("pip", "freeze", "--python", sys.executable).splitlines():
    if line.startswith("-e "):
        raise RuntimeError(line[3:] + " is installed from a folder (editable), which the next runtime will not have")
    name, _, version = line.partition("==")
    if (re.sub(r"[-_.]+", "-", name).lower(), version) not in base:
        wanted.append(line)
folder = tempfile.mkdtemp()
listed = pathlib.Path(folder, "requirements.in")
listed.write_text("\\n".join(wanted) + "\\n")
words = ["pip", "compile", "--quiet", "--no-header", "--python", sys.executable, "--format", "pylock.toml"]
text = run(*words, "--no-deps", "--generate-hashes", str(listed), cwd="/") if wanted else ""
print(arguments["begin"])
print(json.dumps({"lock": text, "wanted": wanted}))
print(arguments["end"])
"""


def install(lock: str) -> str:
    """Installs what a lock names, over the environment; fails with the installer's last words."""
    return _with(_INSTALL, {"lock": lock})


def lock(base: list[tuple[str, str]]) -> str:
    """Prints a lock of what is installed and not among `base`: names as they are compared, and versions."""
    return _with(_LOCK, {"base": base, "begin": BEGIN, "end": END})


def locked(printed: str) -> dict[str, Any] | None:
    """What `lock` printed; None if it is not there. A stranger's word still."""
    _, found, rest = printed.rpartition(BEGIN + "\n")
    body, closed, _ = rest.partition("\n" + END)
    if not found or not closed:
        return None
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _with(program: str, arguments: dict[str, Any]) -> str:
    return f"import json\narguments = json.loads({json.dumps(arguments)!r})\n{program}"
