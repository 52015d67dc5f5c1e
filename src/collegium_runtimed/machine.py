"""What a runtime sees of this machine: its programs and libraries, one environment, and very little of /etc."""

import fnmatch
import os
import stat
import sys
from pathlib import Path

from collegium_runtimed.plan import AGENT_HOME, Bind

MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
ETC = (
    "R", "alternatives", "ca-certificates", "crypto-policies", "debian_version", "fonts", "inputrc", "ld.so.cache",
    "ld.so.conf", "ld.so.conf.d", "localtime", "magic", "mime.types", "pki/ca-trust/extracted", "pki/tls/certs",
    "protocols", "services", "ssl/certs", "ssl/openssl.cnf", "terminfo", "timezone",
)  # fmt: skip
"""Looked up by libraries; nothing here says who uses the machine or how."""
OS_RELEASE = ("etc/os-release", "../usr/lib/os-release")

PROGRAMS = {"uv": "bin/uv", "ty": "language/ty", "ruff": "language/ruff"}
"""Of our own environment, each one file. The last two are the agent's alone: nobody's PATH leads to them."""


class BadEnvironment(Exception):
    """A path that is no environment, or whose Python must not be shown."""


def system_binds() -> tuple[list[Bind], list[tuple[str, str]]]:
    """Programs, libraries and their settings: folders to bind, links to make."""
    binds, links = [Bind("/usr", "/usr")], [OS_RELEASE]
    for name in MERGED:
        path = Path("/", name)
        if path.is_symlink():
            links.append((name, os.readlink(path)))
        elif path.is_dir():
            binds.append(Bind(str(path), str(path)))
    found = (f"/etc/{name}" for name in ETC if os.path.exists(f"/etc/{name}"))
    binds += [Bind(os.path.realpath(path), path) for path in found]
    binds.append(Bind("/sys/devices/system", "/sys/devices/system"))
    return binds, links


def environment_binds(environment: str, agent: Path, allowed: tuple[Path, ...]) -> list[Bind]:
    """What goes with an environment: the Python it was made from, and the agent. Raises BadEnvironment."""
    path = Path(environment)
    if not path.is_absolute() or ".." in path.parts or not any(path.is_relative_to(folder) for folder in allowed):
        raise BadEnvironment(f"{environment} is not in a folder of environments")
    if not (path / "pyvenv.cfg").is_file():
        raise BadEnvironment(f"{environment} is no Python environment")
    binds = [Bind(str(prefix), str(prefix)) for prefix in python_prefixes(path)]
    for name, inside in PROGRAMS.items():
        program = Path(sys.executable).with_name(name)
        if program.is_file():
            binds.append(Bind(os.path.realpath(program), f"{AGENT_HOME}/{inside}"))
    return [*binds, Bind(str(agent / "collegium_agent"), f"{AGENT_HOME}/collegium_agent")]


def layer_paths(layers: tuple[str, ...], folder: Path) -> tuple[str, ...]:
    """These layers, each a folder right below `folder`. Raises BadEnvironment."""
    for layer in layers:
        path = Path(layer)
        if path.parent != folder or path.name.startswith(".") or path.is_symlink() or not path.is_dir():
            raise BadEnvironment(f"{layer} is no layer")
    return layers


def allowed_binds(devices: tuple[str, ...], binds: tuple[str, ...], patterns: tuple[str, ...]) -> list[Bind]:
    """Device nodes, folders and files of the machine at their own paths, if this engine may show them.

    Raises BadEnvironment.
    """
    for path in (*devices, *binds):
        if os.path.normpath(path) != path or not any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns):
            raise BadEnvironment(f"this engine was not told to show {path} to runtimes")
        if not os.path.exists(path):
            raise BadEnvironment(f"{path} is not on this machine")
    for path in devices:
        if not stat.S_ISCHR(os.stat(path).st_mode):
            raise BadEnvironment(f"{path} is no device")
    return [
        *(Bind(path, path, read_only=False, devices=True) for path in devices),
        *(Bind(os.path.realpath(path), path) for path in binds),
    ]


def python_prefixes(environment: Path) -> list[Path]:
    """Where the Python of an environment lives, by each of its names, unless /usr has it anyway."""
    named = {
        key.strip(): value.strip()
        for key, _, value in (line.partition("=") for line in (environment / "pyvenv.cfg").read_text().splitlines())
    }
    python = environment / "bin" / "python"
    prefixes = {Path(named.get("home", "/usr/bin")).parent, Path(os.path.realpath(python)).parent.parent}
    outside = sorted(prefix for prefix in prefixes if not prefix.is_relative_to("/usr"))
    for prefix in outside:
        if not is_python(prefix):
            raise BadEnvironment(f"{prefix}, named by {environment}, is no Python installation")
    return outside


def is_python(prefix: Path) -> bool:
    """Whether a folder is a Python installation and nothing wider."""
    return any((prefix / "bin").glob("python3*")) and any(prefix.glob("lib/python3.*/os.py"))
