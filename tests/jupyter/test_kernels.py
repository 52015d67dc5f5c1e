"""Kernels over the Jupyter API: started, spoken to, interrupted, restarted, found again, and shut down."""

import pytest

from jupyter.world import Site

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("binary", [True, False], ids=["v1", "json"])
async def test_a_kernel_is_started_executes_and_is_shut_down(site: Site, binary: bool) -> None:
    async with site.client() as ada:
        kernel = (await ada.post("/api/kernels", json={"name": "python3"})).raise_for_status().json()
        async with site.socket(kernel["id"], binary=binary) as socket:
            text, reply = await socket.run("print('hello'); 1 + 1")
            shown = (await ada.get(f"/api/kernels/{kernel['id']}")).json()
        assert (await ada.delete(f"/api/kernels/{kernel['id']}")).status_code == 204
        gone = await ada.get(f"/api/kernels/{kernel['id']}")

    assert (text, reply["status"]) == ("hello\n", "ok")
    assert (shown["execution_state"], shown["connections"], shown["name"]) == ("idle", 1, "python3")
    assert gone.status_code == 404
    assert site.machines.released
