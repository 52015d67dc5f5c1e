"""What the tests of this folder may ask for."""

from comments.shared import anyio_backend, shared_site, shared_url, site

__all__ = ["anyio_backend", "shared_site", "shared_url", "site"]
