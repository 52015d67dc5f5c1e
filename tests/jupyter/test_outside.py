"""Clients that others wrote: jupyter-kernel-client, jupyter_kernel_test over the wire, schemathesis."""

from pathlib import Path

import anyio
import pytest

from jupyter.world import ADA, Site
from support.clients import SPEAKERS, clients

pytestmark = pytest.mark.anyio

OUTSIDE = Path(__file__).parent / "outside"
SECONDS_MAX = 120


async def run(*command: str) -> str:
    """What a program printed; an AssertionError if it failed."""
    with anyio.fail_after(SECONDS_MAX):
        done = await anyio.run_process(list(command), check=False, stderr=-2)
    text = done.stdout.decode()
    assert done.returncode == 0, text[-20_000:]
    return text


async def test_jupyter_kernel_client_executes_asks_and_restarts(site: Site) -> None:
    python = str(clients(SPEAKERS))

    assert "well" in await run(python, str(OUTSIDE / "kernel_client.py"), site.url, site.tokens[ADA])


@pytest.mark.parametrize("layout", ["v1", "json"])
async def test_the_messaging_conformance_tests_pass_over_the_wire(site: Site, layout: str) -> None:
    python = str(clients(SPEAKERS))

    text = await run(python, str(OUTSIDE / "conformance.py"), site.url, site.tokens[ADA], layout)

    assert "test_execute_result (__main__.Python.test_execute_result)" in text
