"""A backup is everything at one moment, is what it was, and comes back on another machine and another database."""

import json
import os
import random
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
import sqlalchemy as sa
import zstandard

from collegium.accounts.model import Principal
from collegium.app import House, open_house, open_places
from collegium.backup.model import AREAS, LEFT_OUT, Manifest, TablePart
from collegium.backup.restoring import restore_backup
from collegium.backup.service import Source, check_backup, make_backup
from collegium.backup.shelf import RowsFile, Shelf
from collegium.drive.blob_settings import BlobSettings
from collegium.ground.db import Database, metadata, migrate, open_database, sqlite_url
from collegium.ground.errors import Conflict, Invalid, StorageFull, Unavailable
from collegium.ground.ids import CellId, NotebookId
from collegium.notebooks.service import Document
from collegium.sessions.segments import Segment, read
from collegium.settings import Settings
from support.postgres import postgres, why_no_postgres
from support.s3 import s3, why_no_s3

pytestmark = pytest.mark.anyio
PASSWORD = "correct horse battery"
OUTPUT = {"output_type": "stream", "name": "stdout", "text": "said \u0000 it\n"}


class Site:
    """An installation: what is set of it."""

    def __init__(self, folder: Path, url: str | None = None, blobs: BlobSettings | None = None) -> None:
        folder.mkdir(parents=True)
        self.settings = Settings(data=folder, engine="none", database_url=url, blobs=blobs or BlobSettings())

    async def source(self) -> Source:
        places = {area: await open_places(self.settings, area) for area in AREAS}
        return Source(Database(self.settings.database), places, self.settings.data / "outputs/segments")

    async def back_up(self, shelf: Shelf, told: Callable[[str], None] = lambda _: None) -> tuple[str, Manifest]:
        source = await self.source()
        try:
            return await make_backup(source, shelf, told)
        finally:
            await source.database.close()

    async def restore(self, shelf: Shelf, name: str) -> None:
        source = await self.source()
        try:
            await restore_backup(source, shelf, name, lambda _: None)
        finally:
            await source.database.close()

    async def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything in the tables, in an order that does not depend on the database."""
        async with open_database(self.settings.database) as database, database.read() as tx:
            return {
                table.name: sorted((tuple(row) for row in await tx.execute(sa.select(table))), key=repr)
                for table in metadata.sorted_tables
                if table.name not in LEFT_OUT
            }


@pytest.fixture
def new_postgres() -> Iterator[Callable[[], str]]:
    """Makes databases without a table."""
    reason = why_no_postgres()
    if reason is not None:
        pytest.skip(reason)
    server = postgres()
    made: list[str] = []

    def make() -> str:
        made.append(server.new(template="template0"))
        return made[-1]

    yield make
    for url in made:
        server.drop(url)


@pytest.fixture
def new_bucket() -> Callable[[], BlobSettings]:
    reason = why_no_s3()
    if reason is not None:
        pytest.skip(reason)
    return s3().bucket


async def pieces(*content: bytes) -> AsyncIterator[bytes]:
    for piece in content:
        yield piece


def ipynb(*sources: str) -> bytes:
    cells = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": source, "outputs": [OUTPUT],
         "execution_count": 1} for n, source in enumerate(sources)
    ]  # fmt: skip
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()


async def ada_in(house: House) -> tuple[Principal, str]:
    await house.accounts.create_user("ada@example.org", "Ada", PASSWORD)
    token = await house.accounts.create_token("ada@example.org", "test")
    principal = await house.accounts.principal_by_token(token)
    assert principal is not None
    return principal, token


async def filled(house: House) -> tuple[str, NotebookId, str, str]:
    """A token, a notebook in a folder in a folder, and two files."""
    ada, token = await ada_in(house)
    outer = await house.drive.create_folder(ada, "Outer", None)
    inner = await house.drive.create_folder(ada, "Inner", outer.id)
    file = await house.drive.upload(ada, "small.txt", inner.id, pieces(b"small"))
    large = await house.drive.upload(ada, "large.bin", None, pieces(os.urandom(1_000_000)))
    notebook = await house.notebooks.create(ada, name="n.ipynb", folder=inner.id, file=ipynb("print('a\u2028ü📊')"))
    for number in range(20):
        async with house.rooms.open(NotebookId(notebook.id)) as room:
            await room.edit(lambda editor, n=number: editor.set_source(CellId("c0"), f"x = {n}"), origin="test")
    segment = house.settings.data / "outputs/segments" / notebook.id / "e.segment"
    segment.parent.mkdir(parents=True, exist_ok=True)
    segment.write_bytes(b"\0\1\2" * 1000)
    return token, NotebookId(notebook.id), file.id, large.id


async def whole(house: House, token: str, notebook: NotebookId, *files: str) -> dict[str, Any]:
    """What Ada finds."""
    ada = await house.accounts.principal_by_token(token)
    assert ada is not None
    _, login = await house.accounts.sign_in("ada@example.org", PASSWORD, address="192.0.2.1", agent="test")
    assert login
    content = await house.notebooks.export(notebook, "ipynb", name="n.ipynb")
    found: dict[str, Any] = {"notebook": json.loads(content)}
    for file in files:
        async with aclosing(house.drive.content(await house.drive.file(ada, file))) as stream:
            found[file] = b"".join([piece async for piece in stream])
    return found


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("postgresql+s3", "sqlite"),
        ("sqlite", "postgresql+s3"),
        pytest.param("sqlite", "postgresql", marks=pytest.mark.long),
        pytest.param("postgresql", "sqlite", marks=pytest.mark.long),
        pytest.param("postgresql", "postgresql+s3", marks=pytest.mark.long),
    ],
)
async def test_a_backup_comes_back_on_another_database_and_in_another_place_for_blobs(
    tmp_path: Path,
    new_postgres: Callable[[], str],
    new_bucket: Callable[[], BlobSettings],
    here: str,
    there: str,
) -> None:
    def site(kind: str, name: str) -> Site:
        url = new_postgres() if "postgresql" in kind else None
        return Site(tmp_path / name, url, new_bucket() if "s3" in kind else None)

    old, new, shelf = site(here, "old"), site(there, "new"), Shelf(tmp_path / "backups")
    async with open_house(old.settings) as house:
        token, notebook, *files = await filled(house)
        found = await whole(house, token, notebook, *files)
    before = await old.rows()
    name, manifest = await old.back_up(shelf)
    check_backup(shelf, name, lambda _: None)
    await new.restore(shelf, name)

    assert await new.rows() == before
    assert manifest.missing == []
    segment = Path("outputs/segments") / notebook / "e.segment"
    assert (new.settings.data / segment).read_bytes() == b"\0\1\2" * 1000
    async with open_house(new.settings) as house:
        assert await whole(house, token, notebook, *files) == found
        async with house.rooms.open(notebook) as room:
            await room.edit(lambda editor: editor.set_source(CellId("c0"), "goes on"), origin="test")
        assert (await house.notebooks.content(notebook)).cells[0].source == "goes on"


async def test_a_backup_made_while_ten_people_type_is_of_one_moment(
    tmp_path: Path, new_postgres: Callable[[], str]
) -> None:
    old, new, shelf = Site(tmp_path / "old"), Site(tmp_path / "new", new_postgres()), Shelf(tmp_path / "backups")
    chance = random.Random(5)
    async with open_house(old.settings) as house:
        ada, _ = await ada_in(house)
        made = [await house.notebooks.create(ada, name=f"{n}", folder=None, file=ipynb("")) for n in range(5)]
        notebooks = [NotebookId(one.id) for one in made]
        edits = 0

        async def type_on(notebook: NotebookId) -> None:
            nonlocal edits
            async with house.rooms.open(notebook) as room:
                while True:
                    edits += 1
                    words = f"{edits} {chance.random()}"
                    await room.edit(lambda editor, words=words: editor.set_source(CellId("c0"), words), origin="test")

        async with anyio.create_task_group() as tasks:
            for notebook in notebooks * 2:
                tasks.start_soon(type_on, notebook)
            names = []
            while len(names) < 3:
                before = edits
                names.append((await old.back_up(shelf))[0])
                while edits < before + 50:
                    await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()
    await new.restore(shelf, names[1])

    async with open_database(old.settings.database) as one, open_database(new.settings.database) as two:
        for notebook in notebooks:
            head, digest = await state_of(two, notebook, None)
            assert 2 < head < (await state_of(one, notebook, None))[0]
            assert await state_of(one, notebook, head) == (head, digest)


async def state_of(database: Database, notebook: NotebookId, head: int | None) -> tuple[int, str]:
    """A document as of a sequence number (None: the last), by its log from the beginning: the number and a digest."""
    doc, updates, snapshots = (metadata.tables[name] for name in ("doc", "doc_update", "doc_snapshot"))
    async with database.read() as tx:
        last = head or int(await tx.scalar(sa.select(doc.c.head_seq).where(doc.c.id == notebook)))
        first = sa.select(snapshots.c.payload_zstd).where(snapshots.c.doc_id == notebook).order_by(snapshots.c.seq)

        parts = [zstandard.decompress(await tx.scalar(first.limit(1)))]
        rows = sa.select(updates.c.payload).where(updates.c.doc_id == notebook, updates.c.seq <= last)
        parts += [bytes(row.payload) for row in await tx.execute(rows.order_by(updates.c.seq))]
    document = Document.load(parts)
    return last, document.checksum()


async def test_what_is_deleted_while_a_backup_is_made_does_not_tear_it(tmp_path: Path) -> None:
    old, new, shelf = Site(tmp_path / "old"), Site(tmp_path / "new"), Shelf(tmp_path / "backups")
    async with open_house(old.settings) as house:
        ada, _ = await ada_in(house)
        files = [await house.drive.upload(ada, f"{n}", None, pieces(os.urandom(50_000))) for n in range(10)]
        last = max(files, key=lambda file: str(file.blob))
        waiting = anyio.Event()

        def told(words: str) -> None:
            if words == "blobs: 2 of 10":
                waiting.set()

        async def delete() -> None:
            await waiting.wait()
            await house.drive.trash(ada, last.id)
            await house.drive.delete(ada, last.id)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(delete)
            name, manifest = await old.back_up(shelf, told)
    await new.restore(shelf, name)

    assert manifest.missing == []
    async with open_house(new.settings) as house:
        for file in await house.drive.list_root(ada):
            async with aclosing(house.drive.content(await house.drive.file(ada, file.id))) as stream:
                assert len(b"".join([piece async for piece in stream])) == 50_000


async def test_files_that_were_lost_before_do_not_keep_the_others_from_being_saved(tmp_path: Path) -> None:
    old, shelf = Site(tmp_path / "old"), Shelf(tmp_path / "backups")
    async with open_house(old.settings) as house:
        ada, _ = await ada_in(house)
        lost = await house.drive.upload(ada, "lost", None, pieces(b"lost"))
        spoilt = await house.drive.upload(ada, "spoilt", None, pieces(b"spoilt"))
        await house.drive.upload(ada, "kept", None, pieces(b"kept"))
        for file, content in ((lost, None), (spoilt, b"other")):
            place = old.settings.data / "blobs" / str(file.blob)[:2] / str(file.blob)
            place.unlink()
            if content is not None:
                place.write_bytes(content)
        _, manifest = await old.back_up(shelf)

    assert sorted(manifest.missing) == sorted(f"blobs/{file.blob}" for file in (lost, spoilt))
    assert manifest.objects.lines == 1


async def small(tmp_path: Path) -> tuple[Site, Shelf, str]:
    """An installation that was backed up."""
    old, shelf = Site(tmp_path / "old"), Shelf(tmp_path / "backups")
    async with open_house(old.settings) as house:
        await filled(house)
        name, _ = await old.back_up(shelf)
    return old, shelf, name


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def first_object(shelf: Shelf) -> Path:
    return next(iter(sorted((shelf.folder / "objects").glob("[0-9a-f][0-9a-f]/*"))))


HARMS: dict[str, Callable[[Shelf, Path], object]] = {
    "a table changed": lambda shelf, one: flip(one / "users.jsonl.zst"),
    "a table lost": lambda shelf, one: (one / "doc_update.jsonl.zst").unlink(),
    "a table cut": lambda shelf, one: os.truncate(one / "doc_update.jsonl.zst", 40),
    "the list of files changed": lambda shelf, one: flip(one / "objects.jsonl.zst"),
    "the manifest changed": lambda shelf, one: flip(one / "manifest.json"),
    "the seal lost": lambda shelf, one: (one / "manifest.sha256").unlink(),
    "a file changed": lambda shelf, one: flip(first_object(shelf)),
    "a file lost": lambda shelf, one: first_object(shelf).unlink(),
    "a file cut": lambda shelf, one: os.truncate(first_object(shelf), 1),
}


async def test_a_backup_that_is_not_what_it_was_is_refused_with_what_is_wrong(tmp_path: Path) -> None:
    _, shelf, name = await small(tmp_path)
    for number, (what, harm) in enumerate(HARMS.items()):
        copy = Shelf(tmp_path / f"copy{number}")
        subprocess.run(["cp", "-a", shelf.folder, copy.folder], check=True)
        harm(copy, copy.path(name))
        target = Site(tmp_path / f"target{number}")
        with pytest.raises(Invalid) as raised:
            await target.restore(copy, name)

        assert raised.value.detail, what
        assert list(target.settings.data.glob("blobs/*/*")) == [], what
    target = Site(tmp_path / "target")
    await target.restore(shelf, name)


async def test_nothing_is_restored_over_something(tmp_path: Path) -> None:
    old, shelf, name = await small(tmp_path)
    before = await old.rows()
    with pytest.raises(Conflict, match="empty"):
        await old.restore(shelf, name)

    assert await old.rows() == before


async def test_a_backup_is_readable_by_its_owner_alone_and_the_next_one_copies_only_what_is_new(tmp_path: Path) -> None:
    old, shelf, name = await small(tmp_path)
    objects = {path: path.stat().st_mtime_ns for path in (shelf.folder / "objects").glob("??/*")}
    async with open_house(old.settings):
        again, _ = await old.back_up(shelf)

    for path in [shelf.folder, *shelf.folder.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert {path: path.stat().st_mtime_ns for path in (shelf.folder / "objects").glob("??/*")} == objects
    assert shelf.names() == [name, again]


async def test_old_backups_are_forgotten_with_what_only_they_had(tmp_path: Path) -> None:
    old, shelf = Site(tmp_path / "old"), Shelf(tmp_path / "backups")
    async with open_house(old.settings) as house:
        ada, _ = await ada_in(house)
        for number in range(3):
            file = await house.drive.upload(ada, f"{number}", None, pieces(f"{number}".encode()))
            await old.back_up(shelf)
            await house.drive.trash(ada, file.id)
            await house.drive.delete(ada, file.id)
    last = shelf.names()[1:]
    shelf.forget(2)

    assert shelf.names() == last
    assert len(list((shelf.folder / "objects").glob("??/*"))) == 2
    for name in last:
        check_backup(shelf, name, lambda _: None)


async def test_two_backups_into_one_folder_do_not_meet(tmp_path: Path) -> None:
    old, shelf, _ = await small(tmp_path)
    with shelf.claimed(), pytest.raises(Conflict, match="not finished"):
        await old.back_up(Shelf(shelf.folder))


async def test_a_backup_that_is_killed_leaves_those_before_whole_and_the_next_one_works(tmp_path: Path) -> None:
    old, shelf, name = await small(tmp_path)
    async with open_house(old.settings) as house:
        ada = (await house.accounts.users())[0]
        token = await house.accounts.create_token(ada.email, "again")
        principal = await house.accounts.principal_by_token(token)
        assert principal is not None
        for number in range(60):
            await house.drive.upload(principal, f"{number}.bin", None, pieces(os.urandom(200_000)))
    command = [sys.executable, "-m", "collegium.cli", "backup", str(shelf.folder), "--data", str(old.settings.data)]
    copied = len(list((shelf.folder / "objects").glob("??/*")))
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        with anyio.fail_after(60):
            while len(list((shelf.folder / "objects").glob("??/*"))) < copied + 5:
                await anyio.sleep(0.002)
        process.send_signal(signal.SIGKILL)

    assert shelf.names() == [name]
    check_backup(shelf, name, lambda _: None)
    async with open_house(old.settings):
        again, _ = await old.back_up(shelf)
    check_backup(shelf, again, lambda _: None)
    assert list(shelf.folder.glob(".unfinished-*")) == []
    assert list((shelf.folder / "objects").glob("*/*.part")) == []


async def test_a_full_disk_is_named_and_leaves_the_backups_before(tmp_path: Path) -> None:
    tiny = tmp_path / "tiny"
    tiny.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m,mode=700", "tiny", str(tiny)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small file system to fill")
    try:
        old, shelf = Site(tmp_path / "old"), Shelf(tiny)
        async with open_house(old.settings) as house:
            ada, _ = await ada_in(house)
            name, _ = await old.back_up(shelf)
            for number in range(5):
                await house.drive.upload(ada, f"{number}", None, pieces(os.urandom(1_000_000)))
            with pytest.raises(StorageFull, match="room"):
                await old.back_up(shelf)
        check_backup(shelf, name, lambda _: None)
        assert [path.name for path in tiny.iterdir() if path.name.startswith(".")] == []
    finally:
        subprocess.run(["umount", tiny], check=True)


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
async def test_a_backup_of_an_older_version_is_brought_up(
    tmp_path: Path, new_postgres: Callable[[], str], target: str
) -> None:
    revision = "0008_jupyter"
    older = sqlite_url(tmp_path / "older.db")
    await anyio.to_thread.run_sync(migrate, older, revision)
    shelf = Shelf(tmp_path / "backups")
    with shelf.claimed():
        draft = shelf.begin()
        rows = {
            "users": ["x" * 22, "x@example.org", "x@example.org", "X", None, True, 1, None],
            "tokens": ["t" * 22, "x" * 22, "test", "hash", 1, None, None],
        }
        columns = {
            "users": ["id", "email", "email_key", "name", "password", "admin", "created_at", "removed_at"],
            "tokens": ["id", "user", "name", "secret_hash", "created_at", "seen_at", "expires_at"],
        }
        parts = {}
        for table, row in rows.items():
            with RowsFile(draft / f"{table}.jsonl.zst") as file:
                file.write(row)
            part = file.part()
            parts[table] = TablePart(columns[table], part.lines, part.sha256)
        with RowsFile(draft / "objects.jsonl.zst") as file:
            pass
        manifest = Manifest(1, "0.1", revision, 1, parts, file.part(), 0)
        shelf.finish(draft, "older", manifest)
    site = Site(tmp_path / "new", new_postgres() if target == "postgresql" else None)
    await site.restore(shelf, "older")

    async with open_house(site.settings) as house:
        assert [(user.email, user.admin) for user in await house.accounts.users()] == [("x@example.org", True)]


async def test_a_backup_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "backups")
    with shelf.claimed():
        draft = shelf.begin()
        with RowsFile(draft / "objects.jsonl.zst") as file:
            pass
        shelf.finish(draft, "newer", Manifest(1, "9", "9999_future", 1, {}, file.part(), 0))
    with pytest.raises(Invalid, match="Update"):
        await Site(tmp_path / "new").restore(shelf, "newer")


async def test_an_object_store_that_is_away_ends_a_backup_and_keeps_those_before(
    tmp_path: Path, new_bucket: Callable[[], BlobSettings]
) -> None:
    old, shelf = Site(tmp_path / "old", None, new_bucket()), Shelf(tmp_path / "backups")
    async with open_house(old.settings) as house:
        ada, _ = await ada_in(house)
        await house.drive.upload(ada, "one", None, pieces(b"one"))
        name, _ = await old.back_up(shelf)
        await house.drive.upload(ada, "two", None, pieces(b"two"))
        source = await old.source()
        s3().pause()
        try:
            with pytest.raises(Unavailable):
                await make_backup(source, shelf, lambda _: None)
        finally:
            s3().resume()
            await source.database.close()

    check_backup(shelf, name, lambda _: None)
    assert shelf.names() == [name]


async def test_an_output_that_grows_while_it_is_copied_is_whole_as_far_as_it_goes(tmp_path: Path) -> None:
    old, new, shelf = Site(tmp_path / "old"), Site(tmp_path / "new"), Shelf(tmp_path / "backups")
    segment = Segment(old.settings.data / "outputs/segments/n/e.segment", bytes_max=1 << 30)
    over = threading.Event()

    def print_on() -> None:
        while not over.is_set():
            segment.append({"seq": segment.last_seq + 1, "kind": "stream", "name": "stdout", "text": "line\n" * 50})
        segment.close()

    async with open_house(old.settings), anyio.create_task_group() as tasks:
        tasks.start_soon(anyio.to_thread.run_sync, print_on)
        while segment.last_seq < 100:
            await anyio.sleep(0.001)
        before = segment.last_seq
        name, _ = await old.back_up(shelf)
        over.set()
    await new.restore(shelf, name)

    events = [event["seq"] for event, _ in read(new.settings.data / "outputs/segments/n/e.segment")]
    assert events == list(range(1, len(events) + 1))
    assert before <= len(events) < segment.last_seq
