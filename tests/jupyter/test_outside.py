"""Clients that others wrote: jupyter-kernel-client, jupyter_kernel_test over the wire, schemathesis."""

from pathlib import Path

import anyio
import pytest

from jupyter.world import ADA, Site
from support.clients import SPEAKERS, clients

pytestmark = pytest.mark.anyio

OUTSIDE = Path(__file__).parent / "outside"
SECONDS_MAX = 400


async def run(*command: str, cwd: Path | None = None) -> str:
    """What a program printed; an AssertionError if it failed."""
    with anyio.fail_after(SECONDS_MAX):
        done = await anyio.run_process(list(command), check=False, stderr=-2, cwd=cwd)
    text = done.stdout.decode()
    assert done.returncode == 0, text[-20_000:]
    return text


async def test_jupyter_kernel_client_executes_asks_and_restarts(site: Site) -> None:
    python = str(clients(SPEAKERS))

    assert "well" in await run(python, str(OUTSIDE / "kernel_client.py"), site.url, site.tokens[ADA])


@pytest.mark.parametrize("layout", ["v1", pytest.param("json", marks=pytest.mark.long)])
async def test_the_messaging_conformance_tests_pass_over_the_wire(site: Site, layout: str) -> None:
    python = str(clients(SPEAKERS))

    text = await run(python, str(OUTSIDE / "conformance.py"), site.url, site.tokens[ADA], layout)

    assert "test_execute_result (__main__.Python.test_execute_result)" in text


async def fuzzed(site: Site, folder: Path, *, seed: int, examples: int) -> str:
    """Schemathesis on the specification that Jupyter Server publishes: what it says if no answer was a 5xx."""
    python = clients(SPEAKERS)
    (packages,) = python.parent.parent.glob("lib/*/site-packages")
    spec = packages / "jupyter_server/services/api/api.yaml"
    return await run(
        str(python.parent / "schemathesis"), "run", str(spec), "--url", site.url, "--checks", "not_a_server_error",
        "--header", f"Authorization: token {site.tokens[ADA]}", "--seed", str(seed), "--max-examples", str(examples),
        "--workers", "2", "--phases", "examples,coverage,fuzzing", "--no-color", "--generation-database", "none",
        "--suppress-health-check", "all", "--warnings", "off", cwd=folder,
    )  # fmt: skip


@pytest.fixture
def one_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """All runtimes here are one process, which takes no more kernels than one runtime does."""
    monkeypatch.setattr("collegium.jupyter.service.KERNELS_PER_USER_MAX", 12)


@pytest.mark.usefixtures("one_runtime")
async def test_no_request_of_the_published_specification_fails_the_server(site: Site, tmp_path: Path) -> None:
    assert "No issues found" in await fuzzed(site, tmp_path, seed=1, examples=2)


@pytest.mark.long
@pytest.mark.usefixtures("one_runtime")
@pytest.mark.parametrize("seed", range(2))
async def test_no_request_of_the_specification_fails_the_server_long(site: Site, tmp_path: Path, seed: int) -> None:
    await fuzzed(site, tmp_path, seed=seed, examples=60)
