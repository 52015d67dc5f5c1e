"""The commands beside a running server: people type and a cell prints while the backup is made."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import anyio
import anyio.to_thread
import httpx
import pytest

from journeys.test_kill import Ledger, new_notebook, stdout, typing_people
from support.postgres import postgres, why_no_postgres
from support.server import PASSWORD, Server, free_port, server
from support.tab import Tab, joined

pytestmark = [pytest.mark.anyio, pytest.mark.sandbox, pytest.mark.long]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Server]:
    """Another server that is not started, with an empty database of PostgreSQL."""
    reason = why_no_postgres()
    if reason is not None:
        pytest.skip(reason)
    url = postgres().new(template="template0")
    folder = Path(f"/var/tmp/{tmp_path.name}-elsewhere")
    folder.mkdir(mode=0o755)
    other = Server(folder / "data", free_port(), "--no-runtimes", env={"COLLEGIUM_DATABASE_URL": url})
    other.data.mkdir()
    yield other
    if other.process is not None:
        other.stop()
    shutil.rmtree(folder)
    postgres().drop(url)


async def test_what_was_typed_and_printed_before_a_backup_is_on_the_other_machine(
    elsewhere: Server, tmp_path: Path
) -> None:
    backups = tmp_path / "backups"
    with server() as running:
        token = running.add_user("ada@example.org")
        with running.client(token) as ada:
            notebook = new_notebook(ada)
            body = b"x" * 300_000
            file = ada.post("/drive/files", params={"name": "f.bin"}, content=body).raise_for_status().json()["id"]
        ledger = Ledger()
        async with anyio.create_task_group() as tasks:
            tabs = [Tab(running.url, token, notebook) for _ in range(3)]
            for tab in tabs:
                await tab.rejoin(tasks)
            (counting,) = await tabs[0].execute("count")
            await tabs[0].until(lambda: stdout(tabs[0], counting))
            async with typing_people(tabs, ledger, random.Random(3)):
                await anyio.sleep(0.5)
                ledger.see(tabs)
                printed = stdout(tabs[0], counting).count("\n")
                await anyio.to_thread.run_sync(running.command, "backup", str(backups))
                for tab in tabs:
                    await tab.close()
            tasks.cancel_scope.cancel()
        running.command("backup", str(backups), "--verify")
    elsewhere.command("restore", str(backups))
    elsewhere.start()

    assert ledger.durable
    async with joined(elsewhere.url, token, notebook) as fresh:
        text = "".join(fresh.text(cell) for cell in fresh.cells)
        assert [word for word in ledger.durable if word not in text] == []
    with elsewhere.client(token) as ada:
        log = ada.get(f"/notebooks/{notebook}/executions/{counting}/log").raise_for_status().text
        assert ada.get(f"/drive/files/{file}/content").raise_for_status().content == body
    lines = [line for line in log.splitlines() if line.startswith("line ")]
    assert lines == [f"line {number}" for number in range(len(lines))]
    assert len(lines) >= printed - 1
    with httpx.Client(base_url=elsewhere.url, trust_env=False) as browser:
        login = {"email": "ada@example.org", "password": PASSWORD}
        assert browser.post("/api/v1/login", json=login, headers={"Origin": elsewhere.url}).is_success
