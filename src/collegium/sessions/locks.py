"""Locks of notebooks: PEP 751 texts, read as a stranger's letter and refused in words."""

import hashlib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from packaging.pylock import (
    Package,
    PackageArchive,
    PackageVcs,
    PackageWheel,
    Pylock,
    PylockUnsupportedVersionError,
    PylockValidationError,
)

from collegium.ground.errors import Invalid

LOCK_CHARACTERS_MAX = 1024 * 1024
PACKAGES_MAX = 2000
SCHEMES = frozenset({"https", "http"})
SHA256 = re.compile(r"[0-9a-f]{64}")
LAYER_LENGTH = 40


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file that a lock names by its path in the runtime where it was made."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that can be built."""

    text: str
    names: tuple[str, ...]
    files: tuple[LocalFile, ...]


def parse(text: str) -> Lock:
    """Read a lock. Raises Invalid with the reason."""
    if len(text) > LOCK_CHARACTERS_MAX:
        raise Invalid("The lock is too long.")
    try:
        pylock = Pylock.from_dict(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"The lock is not TOML: {error}.") from error
    except PylockUnsupportedVersionError as error:
        raise Invalid(f"The lock is of a version that is not known here: {error}.") from error
    except (PylockValidationError, RecursionError) as error:
        raise Invalid(f"The lock is not what PEP 751 asks for: {str(error)[:300]}.") from error
    if len(pylock.packages) > PACKAGES_MAX:
        raise Invalid(f"The lock names more than {PACKAGES_MAX} packages.")
    files = tuple(file for package in pylock.packages for file in _files(package))
    return Lock(text, tuple(str(package.name) for package in pylock.packages), files)


def _files(package: Package) -> Iterator[LocalFile]:
    """The files of a package that lie in a runtime. Raises Invalid for a source that cannot be had again."""
    if package.directory is not None:
        raise Invalid(
            f"{package.name} is installed from a folder, which the next runtime will not have."
            " Make a wheel of it (`pip wheel`) and install that, or install it from a repository."
        )
    if package.vcs is not None:
        _check_vcs(package.name, package.vcs)
    for wheel in (*(package.wheels or ()), *((package.sdist,) if package.sdist else ())):
        yield from _file(package.name, wheel)
    if package.archive is not None:
        yield from _file(package.name, package.archive)


def _check_vcs(name: str, vcs: PackageVcs) -> None:
    if vcs.type != "git" or vcs.url is None or urlsplit(vcs.url).scheme not in SCHEMES:
        raise Invalid(f"{name} comes from a repository that is not read by git over HTTP.")
    if not re.fullmatch(r"[0-9a-f]{40,64}", vcs.commit_id):
        raise Invalid(f"{name} names no commit, so the next runtime could get something else.")


def _file(name: str, source: PackageWheel | PackageArchive | object) -> Iterator[LocalFile]:
    url, path = getattr(source, "url", None), getattr(source, "path", None)
    sha256 = str((getattr(source, "hashes", None) or {}).get("sha256", "")).lower()
    if not SHA256.fullmatch(sha256):
        raise Invalid(f"{name} has no sha256 hash, so the next runtime could get something else.")
    if url is not None:
        if urlsplit(url).scheme not in SCHEMES or urlsplit(url).username or urlsplit(url).password:
            raise Invalid(f"{name} comes from an address that is not HTTP, or that names a password.")
        return
    if path is None or not path.startswith("/") or "\0" in path or ".." in path.split("/"):
        raise Invalid(f"{name} names a file without saying where it lies.")
    yield LocalFile(path, sha256)


def layer_name(text: str, environment: str) -> str:
    """Equal locks over equal environments are one layer."""
    return hashlib.sha256(f"{environment}\0{text}".encode()).hexdigest()[:LAYER_LENGTH]
