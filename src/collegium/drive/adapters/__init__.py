"""Where blobs are kept: in a folder, or in a bucket of an object store."""

from pathlib import Path

from collegium.drive.adapters.local import LocalBlobs
from collegium.drive.adapters.s3 import S3Blobs
from collegium.drive.blob_settings import BlobSettings
from collegium.drive.ports import Blobs

__all__ = ["LocalBlobs", "S3Blobs", "open_blobs"]


async def open_blobs(settings: BlobSettings, data: Path, area: str, *, free_bytes_min: int) -> Blobs:
    """The place for the blobs of one area, which is a folder of the data folder or a prefix in the bucket.

    Raises Unavailable if the bucket is not there or not ours.
    """
    if settings.kind == "s3":
        blobs = S3Blobs(settings, area)
        await blobs.check()
        return blobs
    return LocalBlobs(data / area, free_bytes_min=free_bytes_min)
