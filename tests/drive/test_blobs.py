"""What every place for blobs does: one set of tests, over the fake in memory, a folder and a real object store."""

import hashlib
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio
import pytest

from collegium.drive.adapters import LocalBlobs, S3Blobs, open_blobs
from collegium.drive.blob_settings import BlobSettings
from collegium.drive.ports import Blobs
from collegium.ground.errors import NotFound, StorageFull, TooLarge, Unavailable
from drive.fakes import MemoryBlobs
from support.s3 import s3, why_no_s3

pytestmark = pytest.mark.anyio


@pytest.fixture
def bucket() -> BlobSettings:
    """A new bucket of a real object store."""
    reason = why_no_s3()
    if reason is not None:
        pytest.skip(reason)
    return s3().bucket()


@pytest.fixture(params=["memory", "disk", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    match request.param:
        case "memory":
            return MemoryBlobs()
        case "disk":
            return LocalBlobs(tmp_path / "blobs")
        case _:
            return S3Blobs(request.getfixturevalue("bucket"), "blobs")


async def pieces(*content: bytes) -> AsyncIterator[bytes]:
    for piece in content:
        yield piece


async def whole(stream: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in stream])


async def kept(blobs: Blobs) -> set[str]:
    return {sha256 async for sha256 in blobs.kept()}


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"\0" * 100, os.urandom(5_000_000), os.urandom(20_000_000)],
    ids=["none", "one", "zero", "5 MB", "20 MB"],
)
async def test_what_was_put_can_be_read_and_streamed(blobs: Blobs, content: bytes) -> None:
    sha256, size = await blobs.put(content)

    assert (sha256, size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert await blobs.read(sha256) == content
    assert await whole(blobs.stream(sha256)) == content
    assert await blobs.exists(sha256)
    assert await kept(blobs) == {sha256}


@pytest.mark.parametrize("part", [(0, 1), (5, 9), (0, 3_000_000), (1_999_999, 3_000_000), (2_999_999, 3_000_000)])
async def test_a_part_of_a_blob_can_be_streamed(blobs: Blobs, part: tuple[int, int]) -> None:
    content = os.urandom(3_000_000)
    sha256, _ = await blobs.put(content)

    assert await whole(blobs.stream(sha256, part)) == content[slice(*part)]


async def test_a_stream_is_kept_like_the_bytes_in_it(blobs: Blobs) -> None:
    streamed = await blobs.put(pieces(b"one", b"", b"two"))

    assert streamed == await blobs.put(b"onetwo")
    assert await kept(blobs) == {streamed[0]}


async def test_what_is_too_large_is_refused_and_leaves_nothing(blobs: Blobs) -> None:
    with pytest.raises(TooLarge):
        await blobs.put(pieces(b"12345", b"6"), size_max=5)
    with pytest.raises(TooLarge):
        await blobs.put(b"123456", size_max=5)

    assert await kept(blobs) == set()
    assert (await blobs.put(b"12345", size_max=5))[1] == 5


async def test_a_stream_that_breaks_leaves_nothing(blobs: Blobs) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield b"x" * 20_000_000
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError, match="gone"):
        await blobs.put(breaking())

    assert await kept(blobs) == set()


async def test_a_put_that_is_cancelled_leaves_nothing(blobs: Blobs) -> None:
    began = anyio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"x" * 20_000_000
        began.set()
        await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(blobs.put, endless())
        await began.wait()
        tasks.cancel_scope.cancel()

    assert await kept(blobs) == set()


async def test_what_is_not_there_is_not_found(blobs: Blobs) -> None:
    missing = "0" * 64
    with pytest.raises(NotFound):
        await blobs.read(missing)
    with pytest.raises(NotFound):
        await whole(blobs.stream(missing))

    assert not await blobs.exists(missing)
    await blobs.delete(missing)


async def test_what_is_deleted_is_gone_and_can_be_put_again(blobs: Blobs) -> None:
    sha256, _ = await blobs.put(b"here")
    await blobs.delete(sha256)

    assert not await blobs.exists(sha256)
    assert await blobs.put(b"here") == (sha256, 4)
    assert await blobs.read(sha256) == b"here"


async def test_the_same_bytes_put_at_once_are_kept_once(blobs: Blobs) -> None:
    content = os.urandom(300_000)
    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(blobs.put, content)

    assert await kept(blobs) == {hashlib.sha256(content).hexdigest()}
    assert await blobs.read(hashlib.sha256(content).hexdigest()) == content


async def test_a_blob_is_on_the_disk_itself_before_it_is_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        synced.append(Path(os.readlink(f"/proc/self/fd/{handle}")))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    folder = tmp_path / "blobs"
    blobs = LocalBlobs(folder)
    synced.clear()
    sha256, _ = await blobs.put(b"precious")

    content, shard, top = synced
    assert content.parent == folder / "staging"
    assert (shard, top) == (folder / sha256[:2], folder)


async def test_nothing_staged_is_left_on_the_disk(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path / "blobs")
    await blobs.put(b"whole")
    with pytest.raises(TooLarge):
        await blobs.put(b"x" * 9_000_000, size_max=8_000_000)

    assert list((tmp_path / "blobs" / "staging").iterdir()) == []


async def test_what_a_killed_server_left_is_cleared_and_what_is_being_written_stays(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path / "blobs")
    staging = tmp_path / "blobs" / "staging"
    staging.mkdir()
    (staging / "old#1").write_bytes(b"half")
    (staging / "new#1").write_bytes(b"half")
    os.utime(staging / "old#1", (0, 0))
    await blobs.clear_unfinished()

    assert [left.name for left in staging.iterdir()] == ["new#1"]
    assert await kept(blobs) == set()


async def test_with_too_little_room_left_nothing_more_is_taken(tmp_path: Path) -> None:
    kept_before = await LocalBlobs(tmp_path / "blobs").put(b"before")
    full = LocalBlobs(tmp_path / "blobs", free_bytes_min=1 << 60)

    with pytest.raises(StorageFull):
        await full.put(b"more")
    assert await full.read(kept_before[0]) == b"before"


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tiny", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small file system to fill")
    yield folder
    subprocess.run(["umount", folder], check=True)


async def test_a_full_disk_is_named_and_keeps_what_it_has(tiny_disk: Path) -> None:
    blobs = LocalBlobs(tiny_disk)
    sha256, _ = await blobs.put(b"x" * 1_000_000)

    with pytest.raises(StorageFull):
        await blobs.put(os.urandom(3_000_000))
    with pytest.raises(StorageFull):
        await blobs.put(pieces(*[os.urandom(100_000)] * 200))

    assert await kept(blobs) == {sha256}
    assert await blobs.read(sha256) == b"x" * 1_000_000
    assert list((tiny_disk / "staging").iterdir()) == []


WRITER = """
import os, sys
from pathlib import Path
import anyio
from collegium.drive.adapters import LocalBlobs

async def main():
    blobs = LocalBlobs(Path(sys.argv[1]))
    while True:
        sha256, _ = await blobs.put(os.urandom(int.from_bytes(os.urandom(2)) * 40))
        print(sha256, flush=True)

anyio.run(main)
"""


async def test_a_writer_killed_at_any_moment_loses_nothing_acknowledged_and_leaves_nothing_torn(tmp_path: Path) -> None:
    chance = random.Random(7)
    acknowledged: set[str] = set()
    for _ in range(4):
        with subprocess.Popen([sys.executable, "-c", WRITER, tmp_path], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(chance.randrange(1, 12)):
                acknowledged.add(writer.stdout.readline().strip())
            await anyio.sleep(chance.random() / 50)  # not to wait for anything: any moment is a good one to die
            writer.kill()
            acknowledged.update(line.strip() for line in writer.stdout if len(line) == 65)

    blobs = LocalBlobs(tmp_path)
    there = await kept(blobs)
    assert acknowledged <= there
    for sha256 in there:
        assert hashlib.sha256(await blobs.read(sha256)).hexdigest() == sha256


# --- in an object store ----------------------------------------------------------------------------


async def staged(settings: BlobSettings) -> list[str]:
    """What lies in the bucket and is no blob."""
    store = S3Blobs(settings, "blobs")._store
    return [one["path"] async for some in store.list() for one in some if one["path"].startswith("staging")]


async def test_a_large_blob_that_breaks_leaves_nothing_in_the_bucket(bucket: BlobSettings) -> None:
    blobs = S3Blobs(bucket, "blobs")
    with pytest.raises(TooLarge):
        await blobs.put(pieces(*[b"x" * 1_000_000] * 30), size_max=25_000_000)
    sha256, _ = await blobs.put(pieces(*[b"x" * 1_000_000] * 30))

    assert await staged(bucket) == []
    assert await kept(blobs) == {sha256}


async def test_what_a_killed_server_left_in_the_bucket_is_cleared_when_it_is_old(
    bucket: BlobSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = S3Blobs(bucket, "blobs")
    await blobs._store.put_async("staging/left", b"half")
    await blobs.clear_unfinished()
    assert await staged(bucket) == ["staging/left"]
    monkeypatch.setattr("collegium.drive.adapters.s3.UNFINISHED_AFTER_SECONDS", -60)
    await blobs.clear_unfinished()

    assert await staged(bucket) == []


async def test_areas_in_one_bucket_do_not_see_each_other(bucket: BlobSettings) -> None:
    files, outputs = S3Blobs(bucket, "blobs"), S3Blobs(bucket, "outputs/blobs")
    sha256, _ = await files.put(b"mine")

    assert await kept(files) == {sha256}
    assert await kept(outputs) == set()
    assert not await outputs.exists(sha256)


async def test_a_blob_that_was_changed_in_the_bucket_is_not_given_out_as_it_was(bucket: BlobSettings) -> None:
    blobs = S3Blobs(bucket, "blobs")
    sha256, _ = await blobs.put(b"true")
    await blobs._store.put_async(f"{sha256[:2]}/{sha256}", b"false")

    with pytest.raises(Unavailable):
        await blobs.read(sha256)
    with pytest.raises(Unavailable):
        await whole(blobs.stream(sha256))


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [({"bucket": "nothere"}, "COLLEGIUM_BLOBS__BUCKET"), ({"access_key_id": "X"}, "COLLEGIUM_BLOBS__ACCESS_KEY_ID")],
    ids=["bucket", "key"],
)
async def test_a_wrong_setting_is_said_at_the_start_with_what_to_do(
    bucket: BlobSettings, tmp_path: Path, wrong: dict[str, str], advice: str
) -> None:
    key, secret = bucket.access_key_id, bucket.secret_access_key
    assert key is not None
    assert secret is not None
    keys = {"access_key_id": key.get_secret_value(), "secret_access_key": secret.get_secret_value()}
    settings = BlobSettings.model_validate(bucket.model_dump() | keys | wrong)

    with pytest.raises(Unavailable, match=advice) as raised:
        await open_blobs(settings, tmp_path, "blobs", free_bytes_min=0)
    assert secret.get_secret_value() not in str(raised.value)


async def test_a_full_bucket_is_named_and_keeps_what_it_has(bucket: BlobSettings) -> None:
    blobs = S3Blobs(bucket, "blobs")
    sha256, _ = await blobs.put(b"before")
    s3().limit(1)
    try:
        with pytest.raises(StorageFull):
            await blobs.put(b"x" * 5_000)
        with pytest.raises(StorageFull):
            await blobs.put(pieces(*[b"x" * 1_000_000] * 30))
        assert await blobs.read(sha256) == b"before"
    finally:
        s3().limit(None)


async def test_an_object_store_that_is_away_is_named_and_used_again_when_it_is_back(bucket: BlobSettings) -> None:
    blobs = S3Blobs(bucket, "blobs")
    sha256, _ = await blobs.put(b"before")
    s3().pause()
    try:
        with pytest.raises(Unavailable):
            await blobs.put(b"meanwhile")
        with pytest.raises(Unavailable):
            await blobs.read(sha256)
        with pytest.raises(Unavailable):
            await blobs.exists(sha256)
    finally:
        s3().resume()

    assert await blobs.read(sha256) == b"before"
    assert await kept(blobs) == {sha256}


async def test_an_upload_takes_little_memory_however_large_it_is(bucket: BlobSettings) -> None:
    blobs = S3Blobs(bucket, "blobs")
    await blobs.put(pieces(*[b"x" * 1_000_000] * 20))
    before = resident_bytes()
    highest = 0

    async def long() -> AsyncIterator[bytes]:
        nonlocal highest
        for _ in range(200):
            highest = max(highest, resident_bytes())
            yield os.urandom(1_000_000)

    await blobs.put(long())

    assert highest - before < 100_000_000


def resident_bytes() -> int:
    """What of this process is in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
