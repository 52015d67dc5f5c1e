"""Comments over HTTP: who may read and write them, whom they reach, and what becomes of them."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from collegium.comments.settings import CommentSettings
from collegium.ground.ids import ItemId
from comments.site import Site, address_of, open_site

pytestmark = pytest.mark.anyio

SCRIPT = "<script>alert(1)</script> ![x](https://evil.example/p.png) [x](javascript:alert(1))"


async def test_people_talk_about_a_range_of_text(site: Site) -> None:
    anchor = {"start": "AQID", "end": "BAUG"}
    said = await site.begin("Cleo", anchor=anchor, quote="x = 1", before="", after="\n")
    thread = said["thread"]
    await site.reply("Ada", thread["id"], SCRIPT)

    (seen,) = await site.threads("Vi")

    assert seen["place"] == {"cell": "c0", "anchor": anchor, "quote": "x = 1", "before": "", "after": "\n"}
    assert [(one["by"]["name"], one["text"]) for one in seen["comments"]] == [
        ("Cleo", "What is this?"),
        ("Ada", SCRIPT),
    ]
    assert seen["resolved_at"] is None


async def test_each_role_may_what_it_may(site: Site) -> None:
    thread = (await site.begin("Ada"))["thread"]
    comment = thread["comments"][0]["id"]
    body: dict[str, Any] = {"place": {"cell": "c0"}, "text": "x"}
    asked: list[tuple[str, str, Any]] = [
        ("POST", "", body),
        ("POST", f"/{thread['id']}", {"text": "x"}),
        ("POST", f"/{thread['id']}/resolve", None),
        ("POST", f"/{thread['id']}/reopen", None),
        ("GET", "/people", None),
        ("PUT", f"/{thread['id']}/{comment}", {"text": "not mine"}),
        ("DELETE", f"/{thread['id']}/{comment}", None),
        ("DELETE", f"/{thread['id']}", None),
    ]
    expected = {
        "Vi": [403] * 8,
        "Eve": [404] * 8,
        "Cleo": [201, 201, 200, 200, 200, 403, 403, 403],
        "Ed": [201, 201, 200, 200, 200, 403, 403, 403],
    }
    for who, codes in expected.items():
        client = site.clients[who]
        got = [(await client.request(method, site.path + path, json=body)).status_code for method, path, body in asked]

        assert got == codes, who
        assert (await client.get(site.path)).status_code == (404 if who == "Eve" else 200)
    async with httpx.AsyncClient(base_url=f"{site.url}/api/v1", trust_env=False) as nobody:
        for method, path, body in [*asked, ("GET", "", None), ("GET", f"/{thread['id']}", None)]:
            assert (await nobody.request(method, site.path + path, json=body)).status_code == 401


async def test_a_thread_of_another_notebook_cannot_be_reached_through_ones_own(site: Site) -> None:
    thread = (await site.begin("Ada", "secret"))["thread"]
    comment = thread["comments"][0]["id"]
    own = f"/notebooks/{await site.another_notebook('Eve')}/comments"
    eve = site.clients["Eve"]

    for method, path, body in [
        ("GET", f"/{thread['id']}", None),
        ("POST", f"/{thread['id']}", {"text": "x"}),
        ("POST", f"/{thread['id']}/resolve", None),
        ("PUT", f"/{thread['id']}/{comment}", {"text": "x"}),
        ("DELETE", f"/{thread['id']}/{comment}", None),
        ("DELETE", f"/{thread['id']}", None),
    ]:
        assert (await eve.request(method, own + path, json=body)).status_code == 404, (method, path)
    assert (await site.threads("Ada"))[0]["comments"][0]["text"] == "secret"


async def test_one_changes_ones_own_words_and_takes_them_back(site: Site) -> None:
    thread = (await site.begin("Cleo", "frist"))["thread"]
    place = f"{site.path}/{thread['id']}"
    own = thread["comments"][0]["id"]
    cleo = site.clients["Cleo"]
    (await cleo.put(f"{place}/{own}", json={"text": "first"})).raise_for_status()
    await site.reply("Ada", thread["id"], "second")
    (seen,) = await site.threads("Ada")
    assert seen["comments"][0]["text"] == "first"
    assert seen["comments"][0]["edited_at"] is not None

    assert (await cleo.delete(place)).status_code == 403
    (await cleo.delete(f"{place}/{own}")).raise_for_status()
    (seen,) = await site.threads("Ada")
    assert [(one["text"], one["deleted"]) for one in seen["comments"]] == [("", True), ("second", False)]
    assert (await cleo.put(f"{place}/{own}", json={"text": "again"})).status_code == 404
    (await site.clients["Ada"].delete(f"{place}/{seen['comments'][1]['id']}")).raise_for_status()

    assert await site.threads("Ada") == []


async def test_the_owner_may_delete_what_others_wrote(site: Site) -> None:
    thread = (await site.begin("Cleo"))["thread"]
    reply = (await site.reply("Ed", thread["id"], "spam"))["thread"]["comments"][1]
    ada = site.clients["Ada"]

    (await ada.delete(f"{site.path}/{thread['id']}/{reply['id']}")).raise_for_status()
    (await ada.delete(f"{site.path}/{thread['id']}")).raise_for_status()

    assert await site.threads("Ada") == []
    assert await site.told("Cleo") == []


async def test_a_thread_is_resolved_reopened_and_opened_by_a_reply(site: Site) -> None:
    thread = (await site.begin("Cleo"))["thread"]
    place = f"{site.path}/{thread['id']}"
    resolved = (await site.clients["Ada"].post(f"{place}/resolve")).json()
    assert resolved["resolved_by"]["name"] == "Ada"
    assert resolved["resolved_at"] > 0

    assert (await site.clients["Cleo"].post(f"{place}/reopen")).json()["resolved_at"] is None
    await site.clients["Ada"].post(f"{place}/resolve")
    assert (await site.reply("Cleo", thread["id"], "but"))["thread"]["resolved_at"] is None


async def test_what_is_sent_twice_is_said_once(site: Site) -> None:
    body = {"place": {"cell": "c0"}, "text": "once", "draft": "d-1"}
    one, two = [(await site.clients["Cleo"].post(site.path, json=body)).json() for _ in range(2)]
    place = f"{site.path}/{one['thread']['id']}"
    for _ in range(2):
        again = (await site.clients["Cleo"].post(place, json={"text": "and again", "draft": "d-2"})).json()

    assert one["thread"]["id"] == two["thread"]["id"]
    assert [comment["text"] for comment in again["thread"]["comments"]] == ["once", "and again"]
    assert len(await site.threads("Cleo")) == 1
    elsewhere = f"/notebooks/{await site.another_notebook('Cleo')}/comments"
    assert (await site.clients["Cleo"].post(elsewhere, json=body)).status_code == 409


async def test_a_mention_reaches_who_may_read_and_says_whom_it_did_not_reach(site: Site) -> None:
    text = "@vi@example.org @eve@example.org @nobody@example.org look"
    said = await site.begin("Cleo", text)

    assert said["unreached"] == ["eve@example.org", "nobody@example.org"]
    assert [one["email"] for one in said["thread"]["comments"][0]["mentions"]] == ["vi@example.org"]
    assert await site.told("Vi") == [("mention", text)]
    assert await site.told("Eve") == []
    assert await site.told("Ada") == [("comment", text)]
    assert await site.told("Cleo") == []


async def test_who_is_given_access_is_reached_when_the_same_is_said_again(site: Site) -> None:
    said = await site.begin("Ada", "@eve@example.org look")
    thread, comment = said["thread"]["id"], said["thread"]["comments"][0]["id"]
    assert said["unreached"] == ["eve@example.org"]
    body = {"email": address_of("Eve"), "role": "commenter"}
    (await site.clients["Ada"].put(f"/drive/items/{site.notebook}/grants", json=body)).raise_for_status()

    place = f"{site.path}/{thread}/{comment}"
    again = (await site.clients["Ada"].put(place, json={"text": "@eve@example.org look"})).json()
    (await site.clients["Ada"].put(place, json={"text": "@eve@example.org look please"})).raise_for_status()

    assert again["unreached"] == []
    assert ("mention", "@eve@example.org look") in await site.told("Eve")
    assert [kind for kind, _ in await site.told("Eve")].count("mention") == 1


async def test_each_person_is_told_once_of_what_concerns_them_most(site: Site) -> None:
    thread = (await site.begin("Cleo", "question"))["thread"]
    await site.reply("Ed", thread["id"], "answer for @cleo@example.org")
    await site.reply("Ada", thread["id"], "agreed")
    await site.clients["Ada"].post(f"{site.path}/{thread['id']}/resolve")

    assert await site.told("Cleo") == [
        ("resolved", "question"),
        ("reply", "agreed"),
        ("mention", "answer for @cleo@example.org"),
    ]
    assert await site.told("Ed") == [("resolved", "question"), ("reply", "agreed")]
    assert await site.told("Ada") == [("comment", "answer for @cleo@example.org"), ("comment", "question")]


async def test_who_lost_access_is_told_nothing_more(site: Site) -> None:
    thread = (await site.begin("Cleo"))["thread"]
    body = {"email": address_of("Cleo")}
    revoked = await site.clients["Ada"].request("DELETE", f"/drive/items/{site.notebook}/grants", json=body)
    revoked.raise_for_status()
    before = await site.told("Cleo")
    await site.reply("Ada", thread["id"], "behind your back, @cleo@example.org")

    assert await site.told("Cleo") == before
    assert (await site.clients["Cleo"].get(site.path)).status_code == 404


async def test_completion_offers_people_who_may_read(site: Site) -> None:
    await site.begin("Cleo")
    people = {
        who: [one["email"] for one in (await site.clients[who].get(f"{site.path}/people")).json()]
        for who in ("Ed", "Cleo")
    }
    one = (await site.clients["Ed"].get(f"{site.path}/people", params={"query": "cl"})).json()

    assert people["Ed"] == [address_of(name) for name in ("Ada", "Cleo", "Ed", "Vi")]
    assert people["Cleo"] == [address_of(name) for name in ("Ada", "Cleo")]
    assert [person["name"] for person in one] == ["Cleo"]


async def test_a_removed_user_keeps_the_name_on_what_they_wrote(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_site(tmp_path, database_url, monkeypatch) as site:
        thread = (await site.begin("Cleo", "remember me"))["thread"]
        await site.clients["Cleo"].post(f"{site.path}/{thread['id']}/resolve")
        await site.house.accounts.remove_user(address_of("Cleo"))

        (seen,) = await site.threads("Ada")
        said = await site.reply("Ada", thread["id"], "we do, @cleo@example.org")

        assert seen["comments"][0]["by"]["name"] == "Cleo"
        assert seen["resolved_by"]["name"] == "Cleo"
        assert said["unreached"] == ["cleo@example.org"]


async def test_comments_go_with_their_notebook(site: Site) -> None:
    await site.begin("Cleo", "@ed@example.org")
    ada, item = site.clients["Ada"], f"/drive/items/{site.notebook}"
    (await ada.post(f"{item}/trash")).raise_for_status()
    assert (await site.clients["Cleo"].get(site.path)).status_code == 404
    (await ada.delete(item)).raise_for_status()

    assert [said for said in await site.told("Ed") if said[0] == "mention"] == []
    async with site.house.database.read() as tx:
        assert not await site.house.drive.exists(tx, ItemId(site.notebook))
    assert (await ada.get(site.path)).status_code == 404


async def test_pages_hold_every_thread_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collegium.comments.service.PAGE_THREADS_MAX", 3)
    for number in range(7):
        await site.begin("Ed", f"{number}")
    seen, after = [], 0
    while after is not None:
        page = (await site.clients["Vi"].get(site.path, params={"after": after})).json()
        seen += [thread["comments"][0]["text"] for thread in page["threads"]]
        assert len(page["threads"]) <= 3
        after = page["more"]

    assert seen == [str(number) for number in range(7)]


async def test_a_notebook_a_thread_and_a_minute_hold_only_so_much(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = CommentSettings(threads_per_notebook_max=2, comments_per_thread_max=2, changes_per_minute_max=6)
    async with open_site(tmp_path, database_url, monkeypatch, comments=few) as site:
        thread = (await site.begin("Cleo"))["thread"]
        await site.begin("Cleo")
        body = {"place": {"cell": "c0"}, "text": "x"}
        full = await site.clients["Cleo"].post(site.path, json=body)
        await site.reply("Cleo", thread["id"], "y")
        replies = await site.clients["Cleo"].post(f"{site.path}/{thread['id']}", json={"text": "x"})
        (await site.clients["Cleo"].post(f"{site.path}/{thread['id']}/resolve")).raise_for_status()
        hasty = await site.clients["Cleo"].post(f"{site.path}/{thread['id']}/reopen")

        assert (full.status_code, full.json()["code"]) == (409, "full")
        assert (replies.status_code, replies.json()["code"]) == (409, "full")
        assert hasty.status_code == 429
        assert int(hasty.headers["retry-after"]) >= 1
        assert (await site.clients["Ada"].post(f"{site.path}/{thread['id']}/reopen")).status_code == 200


BAD: list[dict[str, Any]] = [
    {"place": {"cell": "c0"}, "text": ""},
    {"place": {"cell": "c0"}, "text": "x" * 4001},
    {"place": {"cell": "c0"}, "text": "x" * 900_000},
    {"place": {"cell": "c0"}, "text": "\x00"},
    {"place": {"cell": "c0"}, "text": "\ud800"},
    {"place": {"cell": "c0", "quote": "\ud800"}, "text": "x"},
    {"place": {"cell": "c0", "quote": "a\x00"}, "text": "x"},
    {"place": {"cell": "c0", "quote": "x" * 1001}, "text": "x"},
    {"place": {"cell": "c0", "before": "x" * 101}, "text": "x"},
    {"place": {"cell": "c 0"}, "text": "x"},
    {"place": {"cell": "c" * 65}, "text": "x"},
    {"place": {"cell": "../c0"}, "text": "x"},
    {"place": {}, "text": "x"},
    {"place": {"cell": "c0", "anchor": {"start": "A"}}, "text": "x"},
    {"place": {"cell": "c0", "anchor": {"start": "A" * 201, "end": "A"}}, "text": "x"},
    {"place": {"cell": "c0", "anchor": {"start": "<script>", "end": "A"}}, "text": "x"},
    {"place": {"cell": "c0", "anchor": {"start": 5, "end": "A"}}, "text": "x"},
    {"place": {"cell": "c0"}, "text": "x", "draft": "a b"},
    {"place": {"cell": "c0"}, "text": " ".join(f"@p{n}@example.org" for n in range(21))},
]


async def test_what_is_no_comment_is_refused_whole(site: Site) -> None:
    for body in BAD:
        # A lone surrogate has no UTF-8, but JSON can spell it.
        answer = await site.clients["Cleo"].post(
            site.path, content=json.dumps(body), headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in (413, 422), (answer.status_code, str(body)[:80])
    for bad in ("0" * 22, "x", "%00", "a" * 500):
        assert (await site.clients["Cleo"].get(f"{site.path}/{bad}")).status_code == 404
    assert await site.threads("Cleo") == []


async def test_an_anchor_that_is_garbage_is_kept_and_never_resolved_here(site: Site) -> None:
    anchor = {"start": "////", "end": "AAAA"}
    await site.begin("Cleo", anchor=anchor, quote="gone")

    assert (await site.threads("Vi"))[0]["place"]["anchor"] == anchor
