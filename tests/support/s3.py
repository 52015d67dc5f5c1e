"""An object store of the tests' own: Ceph's, with a monitor, one disk in memory and the gateway that speaks S3."""

import atexit
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path

import httpx
import obstore
from obstore.store import S3Store
from pydantic import SecretStr

from collegium.drive.blob_settings import BlobSettings
from collegium.ground.ids import new_id
from support.cleaning import cleaned_up
from support.server import free_port

PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph", "ceph-authtool", "monmaptool")
START_SECONDS_MAX = 60
REGION = "us-east-1"
CONFIGURATION = """
[global]
fsid = {fsid}
mon host = v2:127.0.0.1:{mon_port}
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
ms mon service mode = crc
ms mon cluster mode = crc
ms bind ipv6 = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
paxos propose interval = 0.02
paxos min wait = 0.01
run dir = {folder}
log file = {folder}/$name.log
admin socket = {folder}/$name.asok
keyring = {folder}/keyring
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw data = {folder}/rgw
rgw enable usage log = false
rgw enable gc threads = false
rgw enable lc threads = false
rgw thread pool size = 64
[mon.a]
mon data = {folder}/mon
public addr = 127.0.0.1
[osd.0]
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = 1073741824
public addr = 127.0.0.1
cluster addr = 127.0.0.1
"""


def why_no_s3() -> str | None:
    """Why no object store can be started here, or None."""
    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    if lacking:
        return f"{', '.join(lacking)} not installed: apt-get install radosgw ceph-mon ceph-osd"
    return None


@cache
def s3() -> "ObjectStore":
    """The one of this process."""
    store = ObjectStore()
    atexit.register(store.stop)
    return store


class ObjectStore:
    """A running gateway, its key, and as many buckets as are asked for."""

    key, secret = "COLLEGIUMTESTS", "not-a-secret-at-all"

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="clg-s3-", dir="/tmp"))
        self._watcher = cleaned_up(self.folder)
        self.port = free_port()
        self._fsid = str(uuid.uuid4())
        self._mon = f"v2:127.0.0.1:{free_port()}"
        self._programs: list[subprocess.Popen[bytes]] = []
        text = CONFIGURATION.format(
            fsid=self._fsid, folder=self.folder, port=self.port, mon_port=self._mon.rpartition(":")[2]
        )
        (self.folder / "ceph.conf").write_text(text)
        (self.folder / "rgw").mkdir()
        (self.folder / "osd").mkdir()
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def _start(self) -> None:
        map_file, keyring = str(self.folder / "monmap"), str(self.folder / "keyring")
        self._run("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        self._run("monmaptool", "--create", "--fsid", self._fsid, "--addv", "a", f"[{self._mon}]", map_file)
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", map_file, "--keyring", keyring)
        self._keep("ceph-mon", "-f", "-i", "a")
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", self._fsid)
        self._run("ceph", "osd", "new", self._fsid, "0")
        self._keep("ceph-osd", "-f", "-i", "0")
        self._keep("radosgw", "-f", "-n", "client.rgw")
        self._run("radosgw-admin", "user", "create", "--uid=tests", "--display-name=tests",
                  f"--access-key={self.key}", f"--secret-key={self.secret}", "--max-buckets=0")  # fmt: skip
        self.wait()

    def _command(self, name: str, *words: str) -> list[str]:
        configured = [] if name in ("ceph-authtool", "monmaptool") else ["-c", str(self.folder / "ceph.conf")]
        return [name, *configured, *words]

    def _run(self, name: str, *words: str) -> None:
        subprocess.run(
            self._command(name, *words), check=True, capture_output=True, cwd=self.folder, timeout=START_SECONDS_MAX
        )

    def _keep(self, name: str, *words: str) -> None:
        with (self.folder / f"{name}.out").open("wb") as out:
            command = self._command(name, *words)
            self._programs.append(subprocess.Popen(command, stdout=out, stderr=out, cwd=self.folder))
        (self.folder / f"{name}.pid").write_text(f"{self._programs[-1].pid}\n")

    def wait(self) -> None:
        """Come back when it answers."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                if httpx.get(self.endpoint, trust_env=False, timeout=5).status_code == 200:
                    return
            time.sleep(0.05)
        raise AssertionError((self.folder / "radosgw.out").read_text())

    def bucket(self) -> BlobSettings:
        """The settings for a new, empty bucket."""
        name = f"b{new_id().lower().replace('_', '0').replace('-', '0')}"
        self.make(name)
        return BlobSettings(
            kind="s3",
            bucket=name,
            prefix="tests",
            endpoint=self.endpoint,
            region=REGION,
            access_key_id=SecretStr(self.key),
            secret_access_key=SecretStr(self.secret),
        )

    def make(self, name: str) -> None:
        """Make a bucket."""
        store = S3Store(
            name,
            endpoint=self.endpoint,
            region=REGION,
            access_key_id=self.key,
            secret_access_key=self.secret,
            client_options={"allow_http": True},
        )
        address = obstore.sign(store, "PUT", "", timedelta(minutes=1))
        httpx.put(address, trust_env=False, timeout=30).raise_for_status()

    def pause(self) -> None:
        """From now on the gateway answers nothing."""
        self._programs[-1].send_signal(signal.SIGKILL)
        self._programs[-1].wait()

    def resume(self) -> None:
        """It answers again."""
        self._programs.pop()
        self._keep("radosgw", "-f", "-n", "client.rgw")
        self.wait()

    def limit(self, bytes_max: int | None) -> None:
        """So much room is there altogether (None: all of it)."""
        words = ["--quota-scope=user", "--uid=tests"]
        if bytes_max is None:
            self._run("radosgw-admin", "quota", "disable", *words)
        else:
            self._run("radosgw-admin", "quota", "set", *words, f"--max-size={bytes_max}")
            self._run("radosgw-admin", "quota", "enable", *words)

    def stop(self) -> None:
        """End it, and remove what it kept."""
        for program in reversed(self._programs):
            program.kill()
            program.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._watcher.kill()
        self._watcher.wait()


def environment_of(settings: BlobSettings) -> dict[str, str]:
    """The settings as a server's environment variables."""
    key, secret = settings.access_key_id, settings.secret_access_key
    assert key is not None
    assert secret is not None
    words = settings.model_dump(exclude={"access_key_id", "secret_access_key"}, exclude_none=True)
    words |= {"access_key_id": key.get_secret_value(), "secret_access_key": secret.get_secret_value()}
    return {f"COLLEGIUM_BLOBS__{name.upper()}": str(value) for name, value in words.items()}
