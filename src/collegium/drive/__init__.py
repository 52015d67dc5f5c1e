"""Folders, files, blobs, and who may see them."""
