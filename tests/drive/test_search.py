"""What is found, by whom, and in which order: one suite over both kinds of index."""

import random
import time

import pytest

from collegium.accounts.model import Principal, Role
from collegium.drive import search_store, sharing_store, store
from collegium.drive.adapters.search import matcher_of
from collegium.drive.model import Audience, Item, Kind, Link
from collegium.drive.search import RESULTS_MAX, Found, Search
from collegium.drive.service import Drive
from collegium.drive.shelves_store import set_opening
from collegium.drive.words import distinct_words, query_words, snippet
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.ids import ItemId

pytestmark = pytest.mark.anyio

GARBAGE = [
    '"',
    "'",
    "''::*",
    "alpha' OR 1=1 --",
    '"alpha" NEAR/2 "beta"',
    "name_words : alpha",
    "{name_words} : (alpha",
    "alpha* ^beta",
    "alpha & !beta | (gamma <-> delta)",
    "\\",
    "\0",
    "\ud800",
    "%_",
    "*",
    ":*",
    "😀",
    "a" * 5_000,
    " ".join(["word"] * 3_000),
    "AND",
    "NOT",
    "ﷺ" * 300,
    "\u202ealpha",
]


@pytest.fixture
def search(database: Database) -> Search:
    return Search(database, matcher_of(database.url))


@pytest.fixture
def world(drive: Drive, database: Database, search: Search) -> "World":
    return World(drive, database, search)


class World:
    """Makes notebooks that say something."""

    def __init__(self, drive: Drive, database: Database, search: Search) -> None:
        self.drive, self.database, self.search = drive, database, search

    async def notebook(self, owner: Principal, name: str, text: str = "", parent: ItemId | None = None) -> Item:
        async with self.database.write() as tx:
            item = await self.drive.create_item(
                tx, kind=Kind.NOTEBOOK, owner=owner.user, name=name, parent=parent, size=1
            )
            await self.search.set_text(tx, item.id, text, distinct_words(text))
        return item

    async def names(self, who: Principal, query: str, **filters: object) -> list[str]:
        return [found.sight.item.name for found in await self.search.find(who, query, **filters)]  # type: ignore[arg-type]

    async def found(self, who: Principal, query: str) -> list[Found]:
        return await self.search.find(who, query)


async def test_names_and_cells_are_found_by_the_beginnings_of_their_words(world: World, ada: Principal) -> None:
    await world.notebook(ada, "Regression.ipynb", "import pandas as pd\npd.read_csv('prices.csv')")

    for query in ("regression", "REGR", "pan", "read_csv", "pd.read", "csv prices", "regression pandas"):
        assert await world.names(ada, query) == ["Regression.ipynb"], query
    for query in ("egression", "pandasx", "prices tea", "", "   "):
        assert await world.names(ada, query) == [], query


SCRIPTS = [
    ("Überraschung naïve Ñandú", "uberr naive nandu"),
    ("Straße", "STRASSE"),
    ("数据分析 notebook", "数据"),
    ("データ分析", "分析"),
    ("ΣΊΣΥΦΟΣ", "σισυφος"),
    ("привет мир", "ПРИВ"),
    ("ﬁnance", "fin"),
    ("𝒙 = 𝟏𝟐", "12"),
    ("e\u0301te\u0301", "été"),
]


async def test_words_of_every_script_are_found(world: World, ada: Principal) -> None:
    for number, (text, query) in enumerate(SCRIPTS):
        await world.notebook(ada, f"n{number}", f"before {text} after")

        (found,) = [one for one in await world.found(ada, query) if one.sight.item.name == f"n{number}"]
        assert any(piece.matched for piece in found.snippet), query


async def test_names_come_before_texts_and_beginnings_of_names_before_all(world: World, ada: Principal) -> None:
    await world.notebook(ada, "Anything.ipynb", "whale whale whale")
    await world.notebook(ada, "The whale.ipynb")
    await world.notebook(ada, "Whale songs.ipynb")
    await world.notebook(ada, "Later.ipynb", "a whale")

    found = await world.names(ada, "whale")

    assert found[:2] == ["Whale songs.ipynb", "The whale.ipynb"]
    assert set(found[2:]) == {"Anything.ipynb", "Later.ipynb"}


async def test_a_snippet_shows_the_place_and_marks_what_matched(world: World, ada: Principal) -> None:
    text = "x = 0\n" * 200 + "<script>alert('Zebra')</script>\n" + "y = 1\n" * 200
    await world.notebook(ada, "n.ipynb", text)

    (found,) = await world.found(ada, "zeb")

    assert [piece.text for piece in found.snippet if piece.matched] == ["Zeb"]
    assert "<script>alert('" in "".join(piece.text for piece in found.snippet)
    assert len("".join(piece.text for piece in found.snippet)) < 200


async def test_only_what_somebody_may_know_of_is_found(
    world: World, drive: Drive, ada: Principal, bob: Principal
) -> None:
    folder = await drive.create_folder(ada, "Quokka folder", None)
    inner = await drive.create_folder(ada, "inner", folder.id)
    await world.notebook(ada, "shared.ipynb", "quokka", inner.id)
    alone = await world.notebook(ada, "alone.ipynb", "quokka")
    await world.notebook(ada, "private.ipynb", "quokka")

    assert await world.names(bob, "quokka") == []
    await drive.grant(ada, folder.id, bob.email, Role.VIEWER)
    assert set(await world.names(bob, "quokka")) == {"Quokka folder", "shared.ipynb"}
    await drive.grant(ada, alone.id, bob.email, Role.EDITOR)
    assert set(await world.names(bob, "quokka")) == {"Quokka folder", "shared.ipynb", "alone.ipynb"}
    await drive.revoke(ada, folder.id, bob.email)
    assert await world.names(bob, "quokka") == ["alone.ipynb"]
    assert len(await world.names(ada, "quokka")) == 4


async def test_what_a_link_opens_is_found_once_it_was_opened_and_no_longer_than_the_link_holds(
    world: World, drive: Drive, database: Database, ada: Principal, bob: Principal
) -> None:
    linked = await world.notebook(ada, "linked.ipynb", "numbat")
    await world.notebook(ada, "other.ipynb", "numbat")
    await open_to_all(database, drive, linked, ada)

    assert await world.names(bob, "numbat") == []
    async with database.write() as tx:
        await set_opening(tx, bob.user, linked.id, now_ms(), keep=10)
    assert await world.names(bob, "numbat") == ["linked.ipynb"]
    await open_to_all(database, drive, linked, ada, audience="restricted")
    assert await world.names(bob, "numbat") == []


async def open_to_all(
    database: Database, drive: Drive, item: Item, owner: Principal, audience: str = "signed_in"
) -> None:
    async with database.write() as tx:
        await sharing_store.set_link(tx, Link(item.id, Audience(audience), Role.VIEWER), by=owner.user)


async def test_nothing_in_a_trash_is_found_and_what_is_restored_is(
    world: World, drive: Drive, ada: Principal, bob: Principal
) -> None:
    folder = await drive.create_folder(ada, "F", None)
    await drive.grant(ada, folder.id, bob.email, Role.VIEWER)
    item = await world.notebook(ada, "bilby.ipynb", "bilby", folder.id)

    for trashed in (item, folder):
        await drive.trash(ada, trashed.id)
        assert await world.names(ada, "bilby") == await world.names(bob, "bilby") == []
        await drive.restore(ada, trashed.id)
        assert await world.names(ada, "bilby") == await world.names(bob, "bilby") == ["bilby.ipynb"]


async def test_a_renamed_item_is_found_by_its_new_name_and_a_deleted_one_leaves_nothing(
    world: World, drive: Drive, database: Database, ada: Principal
) -> None:
    item = await world.notebook(ada, "possum.ipynb", "glider")
    await drive.rename(ada, item.id, "wombat.ipynb")

    assert await world.names(ada, "possum") == []
    assert await world.names(ada, "wombat") == await world.names(ada, "glider") == ["wombat.ipynb"]
    await drive.trash(ada, item.id)
    await drive.delete(ada, item.id)
    async with database.read() as tx:
        assert await search_store.read_texts(tx, [item.id]) == {}


async def test_a_playground_is_never_found(world: World, drive: Drive, database: Database, ada: Principal) -> None:
    original = await world.notebook(ada, "dingo.ipynb", "dingo")
    async with database.write() as tx:
        made = await drive.create_item(
            tx, kind=Kind.NOTEBOOK, owner=ada.user, name="dingo.ipynb", parent=None, playground_of=original.id
        )
        await world.search.set_text(tx, made.id, "dingo", "dingo")

    assert len(await world.names(ada, "dingo")) == 1


async def test_what_is_found_can_be_narrowed(world: World, drive: Drive, ada: Principal, bob: Principal) -> None:
    await world.notebook(ada, "emu one.ipynb")
    await drive.create_folder(ada, "emu two", None)
    theirs = await world.notebook(bob, "emu three.ipynb")
    await drive.grant(bob, theirs.id, ada.email, Role.VIEWER)

    assert len(await world.names(ada, "emu")) == 3
    assert await world.names(ada, "emu", kind=Kind.FOLDER) == ["emu two"]
    assert await world.names(ada, "emu", whose="others") == ["emu three.ipynb"]
    assert set(await world.names(ada, "emu", whose="mine")) == {"emu one.ipynb", "emu two"}


async def test_any_garbage_is_a_plain_search(world: World, ada: Principal) -> None:
    await world.notebook(ada, "alpha.ipynb", "beta \ud83d or 1 and \0 not")

    for query in GARBAGE:
        assert await world.names(ada, query) in ([], ["alpha.ipynb"]), query


async def test_random_texts_are_found_by_each_of_their_words(world: World, ada: Principal) -> None:
    seed = random.randrange(1 << 30)
    dice = random.Random(seed)
    letters = [chr(c) for c in (*range(0x20, 0x7F), *range(0xA0, 0x250), *range(0x370, 0x400), *range(0x4E00, 0x4E40))]
    text = "".join(dice.choice([*letters, "\n", "\0", "😀", "\u0301"]) for _ in range(400))
    await world.notebook(ada, "random.ipynb", text)

    for word in dice.sample(distinct_words(text).split(), 30):
        assert await world.names(ada, word) == ["random.ipynb"], (seed, word)
        assert any(piece.matched for piece in snippet(text, query_words(word))), (seed, word)


async def test_a_thousand_items_are_searched_at_once_and_what_is_shown_is_bounded(
    world: World, drive: Drive, database: Database, ada: Principal, bob: Principal
) -> None:
    folder = await drive.create_folder(ada, "many", None)
    now = now_ms()
    items = [
        Item(
            ItemId(f"{number:022}"),
            ada.user,
            folder.id,
            Kind.NOTEBOOK,
            f"koala {number}.ipynb",
            1,
            None,
            now,
            now,
            None,
        )
        for number in range(1_000)
    ]
    async with database.write() as tx:
        await store.insert_items(tx, items)
        for item in items[::10]:
            await world.search.set_text(tx, item.id, "eucalyptus", "eucalyptus")
    await drive.grant(ada, folder.id, bob.email, Role.VIEWER)

    started = time.monotonic()
    assert len(await world.names(bob, "koala")) == RESULTS_MAX
    assert len(await world.names(bob, "euca")) == RESULTS_MAX
    assert await world.names(bob, "koala 990 eucalyptus") == ["koala 990.ipynb"]
    assert time.monotonic() - started < 5


async def test_items_older_than_the_search_are_taken_in(
    world: World, drive: Drive, database: Database, ada: Principal
) -> None:
    item = await world.notebook(ada, "old.ipynb", "echidna")
    async with database.write() as tx:
        await search_store.delete_texts(tx, [item.id])
    assert await world.names(ada, "old") == []

    await world.search.take_in_names()

    assert await world.names(ada, "old") == ["old.ipynb"]
    assert await world.search.unread() == [item.id]


async def test_a_changed_notebook_is_unread_until_it_was_looked_at(
    world: World, drive: Drive, database: Database, ada: Principal
) -> None:
    item = await world.notebook(ada, "n.ipynb", "before")
    assert await world.search.unread() == []
    async with database.write() as tx:
        await store.update_item(tx, item.id, modified_at=now_ms() + 1)
    assert await world.search.unread() == [item.id]


async def test_words_of_a_huge_text_are_kept_as_far_as_there_is_room(world: World, ada: Principal) -> None:
    text = " ".join(f"w{number:x}" for number in range(200_000))
    await world.notebook(ada, "huge.ipynb", text)

    assert await world.names(ada, "w1f") == ["huge.ipynb"]
    assert len(distinct_words(text)) <= 256 << 10
