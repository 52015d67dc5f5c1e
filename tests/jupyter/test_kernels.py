"""Kernels over the Jupyter API: started, spoken to, interrupted, restarted, found again, and shut down."""

import contextlib
import struct
from pathlib import Path
from random import Random

import anyio
import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from agent_process import AgentProcess
from jupyter.world import ADA, EVE, FakeMachines, Site, Socket, open_site

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


async def started(site: Site, http: httpx.AsyncClient, name: str = "python3") -> str:
    """A new kernel's id."""
    return str((await http.post("/api/kernels", json={"name": name})).raise_for_status().json()["id"])


@pytest.mark.parametrize("binary", [True, False], ids=["v1", "json"])
async def test_buffers_pass_both_ways_and_comms_untouched(site: Site, binary: bool) -> None:
    async with site.client() as ada, site.socket(await started(site, ada), binary=binary) as socket:
        await socket.run(
            "def back(comm, message):\n"
            "    @comm.on_msg\n"
            "    def _(m): comm.send({'was': m['content']['data']}, buffers=[bytes(m['buffers'][0])[::-1], b''])\n"
            "get_ipython().kernel.comm_manager.register_target('echo', back)"
        )
        await socket.ask("comm_open", {"comm_id": "c", "target_name": "echo", "data": {}})
        await socket.ask("comm_msg", {"comm_id": "c", "data": {"x": [1, None]}}, buffers=[bytes(range(256))])
        answer = await socket.until("comm_msg")

    assert answer["content"] == {"comm_id": "c", "data": {"was": {"x": [1, None]}}}
    assert answer["buffers"] == [bytes(range(256))[::-1], b""]


async def test_input_is_asked_of_the_client_that_ran_the_cell(site: Site) -> None:
    async with site.client() as ada:
        kernel = await started(site, ada)
        async with site.socket(kernel) as one, site.socket(kernel) as other:
            asked = await one.ask("execute_request", {"code": "print(input('?'))", "allow_stdin": True})
            question = await one.until("input_request", asked)
            await one.ask("input_reply", {"value": "yes"}, channel="stdin", parent=question["header"])
            reply = await one.until("execute_reply", asked)
            seen = []
            while not (seen and seen[-1]["content"].get("text") == "yes\n"):
                seen.append(await other.next())

    assert reply["content"]["status"] == "ok"
    assert {message["channel"] for message in seen} == {"iopub"}


async def test_a_client_that_comes_back_gets_what_it_missed_in_order_and_once(site: Site) -> None:
    async with site.client() as ada:
        kernel = await started(site, ada)
        async with site.socket(kernel, session="tab") as socket:
            code = "import time\nfor n in range(50): print(n, flush=True); time.sleep(.02)"
            asked = await socket.ask("execute_request", {"code": code})
            await socket.until("stream")
        async with site.socket(kernel, session="watching") as other:
            await other.until("status", asked, execution_state="idle")
        async with site.socket(kernel, session="tab") as socket:
            text = ""
            while True:
                message = await socket.next()
                if message["header"]["msg_type"] == "stream":
                    text += message["content"]["text"]
                if message["content"].get("execution_state") == "idle":
                    break

    assert text == "".join(f"{n}\n" for n in range(int(text.split("\n", 1)[0]), 50))
    assert int(text.split("\n", 1)[0]) >= 1


async def test_a_flood_reaches_a_slow_client_whole(site: Site) -> None:
    async with site.client() as ada, site.socket(await started(site, ada)) as socket:
        asked = await socket.ask("execute_request", {"code": "for n in range(3000): print('x' * 10_000)"})
        size = 0
        while True:
            message = await socket.next()
            if message["header"]["msg_type"] == "stream":
                size += len(message["content"]["text"])
            if message["content"].get("execution_state") == "idle" and message["parent_header"].get("msg_id") == asked:
                break

    assert size == 3000 * 10_001


@pytest.mark.parametrize("by", ["rest", "message"])
async def test_what_runs_is_interrupted(site: Site, by: str) -> None:
    async with site.client() as ada:
        kernel = await started(site, ada)
        async with site.socket(kernel) as socket:
            asked = await socket.ask("execute_request", {"code": "print('on', flush=True)\nwhile True: pass"})
            await socket.until("stream", asked)
            busy = (await ada.get(f"/api/kernels/{kernel}")).json()
            if by == "rest":
                assert (await ada.post(f"/api/kernels/{kernel}/interrupt")).status_code == 204
            else:
                question = await socket.ask("interrupt_request", {}, channel="control")
                assert (await socket.until("interrupt_reply", question))["content"] == {"status": "ok"}
            reply = await socket.until("execute_reply", asked)

    assert busy["execution_state"] == "busy"
    assert reply["content"]["ename"] == "KeyboardInterrupt"


async def test_a_restart_is_told_and_forgets_everything(site: Site) -> None:
    async with site.client() as ada:
        kernel = await started(site, ada)
        async with site.socket(kernel) as socket:
            await socket.run("x = 1")
            answer = await ada.post(f"/api/kernels/{kernel}/restart")
            await socket.until("status", execution_state="restarting")
            _, reply = await socket.run("x")

    assert (answer.status_code, answer.json()["id"]) == (200, kernel)
    assert reply["ename"] == "NameError"


async def test_a_kernel_that_dies_is_started_again(site: Site) -> None:
    async with site.client() as ada, site.socket(await started(site, ada)) as socket:
        await socket.ask("execute_request", {"code": "import os; os._exit(3)"})
        await socket.until("status", execution_state="restarting")
        await socket.until("status", execution_state="idle")
        text, _ = await socket.run("print('again')")

    assert text == "again\n"


async def test_sessions_are_made_found_renamed_and_given_another_kernel(site: Site) -> None:
    async with site.client() as ada:
        body = {"path": "a.ipynb", "type": "notebook", "name": "", "kernel": {"name": "python3"}}
        made = await ada.post("/api/sessions", json=body)
        again = await ada.post("/api/sessions", json=body)
        session = made.json()
        other = await started(site, ada)
        changed = await ada.patch(f"/api/sessions/{session['id']}", json={"path": "b.ipynb", "kernel": {"id": other}})
        listed = (await ada.get("/api/sessions")).json()
        kernels = (await ada.get("/api/kernels")).json()
        gone = await ada.delete(f"/api/sessions/{session['id']}")
        left = (await ada.get("/api/kernels")).json()

    assert made.status_code == 201
    assert again.json()["id"] == session["id"]
    assert (changed.json()["path"], changed.json()["kernel"]["id"]) == ("b.ipynb", other)
    assert [one["id"] for one in listed] == [session["id"]]
    assert [one["id"] for one in kernels] == [other]
    assert (gone.status_code, left) == (204, [])


async def test_kernels_and_what_they_said_outlive_the_server(tmp_path: Path, agent: AgentProcess) -> None:
    machines = FakeMachines(agent)
    async with open_site(tmp_path, agent, machines) as site, site.client() as ada:
        kernel = await started(site, ada)
        async with site.socket(kernel, session="tab") as socket:
            await socket.run("x = 'still here'")
            asked = await socket.ask(
                "execute_request", {"code": "import time\nfor n in range(10): time.sleep(.1); print(n)\nprint(x)"}
            )
            await socket.until("stream", asked)
    async with open_site(tmp_path, agent, machines) as site, site.client() as ada:
        shown = (await ada.get("/api/kernels")).json()
        async with site.socket(kernel, session="tab") as socket:
            text, _ = await socket.run("print(x)")
        (await ada.delete(f"/api/kernels/{kernel}")).raise_for_status()

    assert [one["id"] for one in shown] == [kernel]
    assert text == "still here\n"
    assert machines.lent == {}


async def test_another_users_kernels_and_sessions_are_not_there(site: Site) -> None:
    async with site.client() as ada, site.client(EVE) as eve:
        session = (await ada.post("/api/sessions", json={"path": "s", "type": "console"})).json()
        kernel = session["kernel"]["id"]
        answers = [
            await eve.request(method, path)
            for method, path in (
                ("GET", f"/api/kernels/{kernel}"),
                ("DELETE", f"/api/kernels/{kernel}"),
                ("POST", f"/api/kernels/{kernel}/interrupt"),
                ("POST", f"/api/kernels/{kernel}/restart"),
                ("GET", f"/api/sessions/{session['id']}"),
                ("DELETE", f"/api/sessions/{session['id']}"),
            )
        ]
        lists = [(await eve.get("/api/kernels")).json(), (await eve.get("/api/sessions")).json()]
        bound = await eve.post("/api/sessions", json={"path": "t", "type": "console", "kernel": {"id": kernel}})
        with pytest.raises(InvalidStatus) as refused:
            async with site.socket(kernel, who=EVE):
                pass

    assert {answer.status_code for answer in answers} == {404}
    assert lists == [[], []]
    assert bound.status_code == 404
    assert refused.value.response.status_code == 404


async def closed(socket: Socket) -> None:
    """Returns when the server has closed it; what comes before does not matter."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            await socket.next()


@pytest.mark.parametrize("binary", [True, False], ids=["v1", "json"])
async def test_garbage_closes_its_own_socket_and_harms_nothing_else(site: Site, binary: bool) -> None:
    random = Random(20261121)
    frames: list[str | bytes] = [b"", "", "{", "[]", "null", "[" * 100_000, '{"header": 1}', '{"header": {}}']
    frames += ['{"channel": 3}', '{"channel": "iopub", "header": {"msg_id": "a", "msg_type": "b"}}', b"\xff" * 64]
    frames += [struct.pack("<3Q", 2**63, 1, 2), struct.pack(">3I", 2**31, 0, 0), struct.pack("<9Q", 8, *[2**40] * 8)]
    frames += [random.randbytes(random.randrange(1, 400)) for _ in range(100)]
    async with site.client() as ada:
        kernel = await started(site, ada)
        async with site.socket(kernel) as calm:
            for frame in frames:
                async with site.socket(kernel, binary=binary) as socket:
                    await socket.socket.send(frame)
                    await closed(socket)
                    assert socket.socket.close_code == 1007
            text, _ = await calm.run("print('calm')")

    assert text == "calm\n"


async def test_a_message_under_the_agents_own_name_is_refused(site: Site) -> None:
    async with site.client() as ada, site.socket(await started(site, ada)) as socket:
        socket.session = "collegium-k0123456789ab"
        await socket.ask("kernel_info_request", {})
        with pytest.raises(ConnectionClosed):
            await socket.next()


async def test_a_revoked_token_closes_its_sockets(site: Site) -> None:
    async with site.client() as ada:
        kernel = await started(site, ada)
        user = await site.house.accounts.user_by_email(ADA)
        token, secret = await site.house.accounts.create_token_for(user.id, "short")
        site.tokens["short"] = secret
        async with site.socket(kernel, who="short") as socket:
            await site.house.accounts.revoke_token(user.id, token.id)
            await closed(socket)

    assert socket.socket.close_code == 4401


async def test_a_full_house_refuses_and_leaves_nothing(site: Site) -> None:
    site.machines.full = True
    async with site.client() as ada:
        refused = await ada.post("/api/kernels", json={"name": "python3"})
        unknown = await ada.post("/api/kernels", json={"name": "cobol"})
        listed = (await ada.get("/api/kernels")).json()

    assert (refused.status_code, unknown.status_code, listed) == (429, 400, [])
    assert set(refused.json()) == {"message", "reason"}


async def test_an_agent_that_is_killed_costs_its_kernels_nothing(site: Site, agent: AgentProcess) -> None:
    async with site.client() as ada, site.socket(await started(site, ada)) as socket:
        await socket.run("x = 1")
        asked = await socket.ask("execute_request", {"code": "import time; time.sleep(1); print('slept')"})
        await socket.until("status", asked, execution_state="busy")
        agent.kill_agent()
        said = await socket.until("stream", asked)
        text, _ = await socket.run("print(x)")

    assert (said["content"]["text"], text) == ("slept\n", "1\n")


async def test_a_runtime_that_is_taken_back_ends_its_kernels_and_their_sockets(site: Site, agent: AgentProcess) -> None:
    async with site.client() as ada, site.socket(await started(site, ada)) as socket:
        site.machines.lent.clear()
        await agent.hang_up()
        await socket.until("status", execution_state="dead")
        await closed(socket)
        left = (await ada.get("/api/kernels")).json()

    assert (socket.socket.close_code, left) == (1000, [])


async def test_a_client_that_takes_nothing_is_cut_off_and_the_others_get_everything(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collegium.jupyter.live.STALLED_SECONDS_MAX", 0.3)
    async with site.client() as ada:
        kernel = await started(site, ada)
        async with site.socket(kernel, queue=1) as deaf, site.socket(kernel) as calm:
            text, reply = await calm.run("for n in range(4000): print('y' * 10_000, flush=True)")
            await closed(deaf)

    assert (len(text), reply["status"]) == (4000 * 10_001, "ok")
    assert deaf.socket.close_code in (1012, 1006)


async def test_nobody_loses_what_is_said_while_nobody_listens(site: Site) -> None:
    async with site.client() as ada:
        kernel = await started(site, ada)
        async with site.socket(kernel, session="tab") as socket:
            await socket.ask("execute_request", {"code": "import time; time.sleep(.3)\nfor n in range(500): print(n)"})
            await socket.until("execute_input")
        shown = {"execution_state": "busy"}
        with anyio.fail_after(60):
            while shown["execution_state"] != "idle":
                shown = (await ada.get(f"/api/kernels/{kernel}")).json()
                await anyio.sleep(0.02)
        text = ""
        async with site.socket(kernel, session="tab") as socket:
            while "499" not in text:
                text += (await socket.until("stream"))["content"]["text"]

    assert (text, shown["connections"]) == ("".join(f"{n}\n" for n in range(500)), 0)
