"""Builds the wheel, installs it into a bare environment, starts it, and asks for its page."""

import os
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import uv

ROOT = Path(__file__).parent.parent
READY_SECONDS_MAX = 60


def main() -> None:
    """Exit with an error unless the installed wheel serves its page."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="collegium-wheel-") as folder:
        here = Path(folder)
        here.chmod(0o755)
        run("build", "--wheel", "--quiet", "--out-dir", here, cwd=ROOT)
        (wheel,) = here.glob("*.whl")
        run("venv", "--quiet", here / "venv", "--python", sys.executable)
        run("pip", "install", "--quiet", "--python", here / "venv", wheel)
        serve(here)
    print(f"{wheel.name}: installed bare, started, and served its page")


def run(*words: object, cwd: Path | None = None) -> None:
    """Run uv, and stop if it fails."""
    subprocess.run([uv.find_uv_bin(), *map(str, words)], cwd=cwd, check=True)


def serve(here: Path) -> None:
    """Start the installed server without runtimes, which have tests of their own, and fetch the page."""
    server = subprocess.Popen(
        [here / "venv/bin/collegium", "serve", "--port", "0", "--data", here / "data", "--no-runtimes"],
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"], "HOME": folder_home(here)},
        cwd=here,
    )
    try:
        assert server.stdout is not None
        address = next(word for line in server.stdout for word in line.split() if word.startswith("http://"))
        with urllib.request.urlopen(address.split("/welcome")[0], timeout=READY_SECONDS_MAX) as page:  # noqa: S310 - our own address
            if b'id="root"' not in page.read():
                sys.exit("the installed wheel does not serve its page")
    finally:
        server.terminate()
        server.wait(READY_SECONDS_MAX)


def folder_home(here: Path) -> str:
    """An empty home, so that nothing of this user's leaks in."""
    home = here / "home"
    home.mkdir()
    return str(home)


if __name__ == "__main__":
    main()
