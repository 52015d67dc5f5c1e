"""What is open at one process and asked of another: passed on, told, and taken over."""

import base64
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import anyio
import pytest

from collegium.accounts.model import Role
from collegium.ground.errors import Unavailable
from rooms.tab import Tab, dialled, joined
from workers.pair import SECONDS_MAX, Pair, pair

pytestmark = pytest.mark.anyio


@pytest.fixture
async def both(tmp_path: Path, database_url: str) -> AsyncIterator[Pair]:
    async with pair(tmp_path, database_url) as both:
        yield both


def typed(text: str) -> Callable[[Tab], None]:
    """An edit that puts a text at the end of the first cell."""

    def change(tab: Tab) -> None:
        source = tab.text("c0")
        source.insert(len(str(source).encode()), text)

    return change


async def test_tabs_at_two_processes_type_into_one_notebook_and_nothing_leaves_the_order(both: Pair) -> None:
    ada = await both.first.person("ada")
    notebook = await both.first.notebook(ada, "")
    async with (
        joined(both.second.port, notebook, ada) as owner,
        joined(both.first.port, notebook, ada) as distant,
        joined(both.second.port, notebook, ada) as third,
    ):
        for number in range(20):
            for tab in (owner, distant, third):
                await tab.edit(typed(f"<{number}>"))
        for tab in (owner, distant, third):
            await tab.until(lambda tab: tab.acked == tab.sent and tab.seq >= 60)

        assert owner.source("c0") == distant.source("c0") == third.source("c0")
        assert all(owner.source("c0").count(f"<{number}>") == 3 for number in range(20))
        assert both.second.house.rooms.find(notebook) is not None
        assert both.first.house.rooms.find(notebook) is None


@pytest.mark.sqlite_in_short
async def test_runs_are_asked_of_the_one_that_leads_and_its_answers_reach_tabs_at_the_other(both: Pair) -> None:
    ada = await both.second.person("ada")
    notebook = await both.second.notebook(ada, "1+1")
    async with joined(both.second.port, notebook, ada) as tab:
        await tab.until(lambda tab: tab.of_type("session") and tab.of_type("cells"))
        await tab.socket.send('{"type":"interrupt"}')
        await tab.socket.send('{"type":"nonsense","request":7}')
        await tab.until(lambda tab: any(answer["request"] == 7 for answer in tab.of_type("refused")))
        both.first.house.rooms.broadcast(notebook, {"type": "told", "by": "the leader"})
        await tab.until(lambda tab: tab.of_type("told"))

        assert both.second.house.rooms.find(notebook) is not None


@pytest.mark.sqlite_in_short
async def test_whoever_is_no_tab_reads_and_edits_a_notebook_that_another_process_owns(both: Pair) -> None:
    ada = await both.first.person("ada")
    notebook = await both.first.notebook(ada, "begin")
    async with joined(both.second.port, notebook, ada) as tab:
        await tab.edit(typed(" typed"))
        async with both.first.house.rooms.open(notebook) as distant:
            sources = distant.sources()
            cell, _, source = sources[0]
            await distant.edit(lambda editor: editor.set_source(cell, source + " by hand"), origin="test")
        await tab.until(lambda tab: "by hand" in tab.source("c0"))
        async with both.first.api(ada) as api:
            answer = await api.get(f"/notebooks/{notebook}/content")

        assert sources[0][2] == "begin typed"
        assert tab.source("c0") == "begin typed by hand"
        assert answer.json()["cells"][0]["source"] in ("begin typed by hand", ["begin typed by hand"])


@pytest.mark.sqlite_in_short
async def test_a_file_given_to_any_process_is_merged_where_people_type(both: Pair) -> None:
    ada = await both.first.person("ada")
    notebook = await both.first.notebook(ada, "begin")
    async with joined(both.second.port, notebook, ada) as tab, both.first.api(ada) as api:
        file = (await api.get(f"/notebooks/{notebook}/content")).json()
        file["cells"][0]["source"] = "begin\nfrom a file"
        await tab.edit(typed("!"))
        await tab.until(lambda tab: tab.acked == tab.sent)
        answer = await api.put(f"/notebooks/{notebook}/content", json=file)
        await tab.until(lambda tab: "from a file" in tab.source("c0"))

        assert answer.status_code == 200
        assert both.first.house.rooms.find(notebook) is None


async def test_a_role_taken_back_at_one_process_bites_at_the_other_within_a_second(both: Pair) -> None:
    ada = await both.first.person("ada")
    bob = await both.first.person("bob")
    notebook = await both.first.notebook(ada, "")
    await both.first.share(ada, notebook, "bob", Role.EDITOR)
    async with joined(both.second.port, notebook, bob) as tab:
        with anyio.fail_after(SECONDS_MAX):
            began = anyio.current_time()
            await both.first.share(ada, notebook, "bob", Role.VIEWER)
            await tab.until(lambda tab: tab.of_type("role"))
            seconds = anyio.current_time() - began
        await tab.edit(typed("no"))
        await tab.until(lambda tab: tab.closed)

        assert tab.closed is not None
        assert tab.closed[0] == 4403
        assert seconds < 1


async def test_a_login_ended_at_one_process_closes_its_sockets_at_the_other_within_a_second(both: Pair) -> None:
    ada = await both.first.person("ada")
    notebook = await both.first.notebook(ada, "")
    principal = await both.first.house.accounts.principal_by_token(ada)
    assert principal is not None
    assert principal.token is not None
    async with joined(both.second.port, notebook, ada) as here, joined(both.first.port, notebook, ada) as passed_on:
        began = anyio.current_time()
        await both.first.house.accounts.revoke_token(principal.user, principal.token)
        for tab in (here, passed_on):
            await tab.until(lambda tab: tab.closed)
        seconds = anyio.current_time() - began

        assert [tab.closed and tab.closed[0] for tab in (here, passed_on)] == [4401, 4401]
        assert seconds < 1


async def test_an_owner_taken_for_dead_cannot_write_and_its_tabs_find_the_next(both: Pair) -> None:
    ada = await both.first.person("ada")
    notebook = await both.first.notebook(ada, "")
    async with joined(both.first.port, notebook, ada) as old:
        await old.edit(typed("<kept>"))
        await old.until(lambda tab: tab.acked == tab.sent)
        await both.bury_first()
        async with joined(both.second.port, notebook, ada) as new:
            await new.edit(typed("<new>"))
            await new.until(lambda tab: tab.acked == tab.sent)
            acknowledged = old.acked
            await old.edit(typed("<late>"))
            await old.until(lambda tab: tab.closed)

            assert old.closed is not None
            assert old.closed[0] == 1012
            assert old.acked == acknowledged, "what came too late was not acknowledged"
            # The tab comes back with what it has, as the page does.
            async with joined(both.second.port, notebook, ada, old.doc) as again:
                held = base64.b64decode(again.welcome["state_vector"])
                await again.send_update(again.doc.get_update(held))
                await again.until(lambda tab: tab.acked == tab.sent)
                await new.until(lambda tab: "<late>" in tab.source("c0"))
            assert sorted(new.source("c0").replace("><", "> <").split()) == ["<kept>", "<late>", "<new>"]


async def test_a_process_taken_for_dead_writes_nothing_at_all_and_says_so(both: Pair) -> None:
    lost: list[bool] = []
    both.first.house.workers.on_lost = lambda: lost.append(True)
    await both.bury_first()

    with pytest.raises(Unavailable):
        async with both.first.house.database.write():
            pytest.fail("it began a transaction")
    assert lost == [True]
    assert both.second.house.workers.leads


@pytest.mark.sqlite_in_short
async def test_what_passes_by_keeps_its_client_and_nobody_outside_can_name_another(both: Pair) -> None:
    await both.second.person("ada")
    async with both.second.api("none") as api:
        signed_in = await api.post(
            "/login",
            json={"email": "ada@example.org", "password": "correct horse battery"},
            headers={"Authorization": "", "X-Collegium-Client": "6.6.6.6", "client": "6.6.6.6", "kind": "request"},
        )
        api.headers.pop("authorization")
        logins = await api.get("/me/logins")

    assert signed_in.status_code == 200
    assert "127.0.0.1" in logins.text
    assert "6.6.6.6" not in logins.text


@pytest.mark.sqlite_in_short
async def test_a_viewer_who_writes_is_closed_with_the_same_code_through_another_process(both: Pair) -> None:
    ada = await both.first.person("ada")
    await both.first.person("bob")
    bob = await both.first.house.accounts.create_token("bob@example.org", "more")
    notebook = await both.first.notebook(ada, "")
    await both.first.share(ada, notebook, "bob", Role.VIEWER)
    async with joined(both.first.port, notebook, ada), joined(both.second.port, notebook, bob) as viewer:
        await viewer.edit(typed("no"))
        await viewer.until(lambda tab: tab.closed)

        assert viewer.closed == (4403, "Your role here is viewer: you may not write.")
    async with joined(both.first.port, notebook, ada), dialled(both.second.port, notebook, None) as nobody:
        await nobody.hello()
        await nobody.read()

        assert nobody.closed is not None
        assert nobody.closed[0] == 4401
