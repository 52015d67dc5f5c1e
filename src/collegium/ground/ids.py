"""Ids: unguessable, sortable by nothing, safe in a URL, a file name and a log line."""

import secrets
from typing import NewType

UserId = NewType("UserId", str)
LoginId = NewType("LoginId", str)
TokenId = NewType("TokenId", str)
GroupId = NewType("GroupId", str)
ItemId = NewType("ItemId", str)
"""A folder, file or notebook in a drive. A notebook's item and the notebook share one id."""
NotebookId = NewType("NotebookId", str)
CellId = NewType("CellId", str)
ExecutionId = NewType("ExecutionId", str)
RuntimeId = NewType("RuntimeId", str)
KernelId = NewType("KernelId", str)

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
ID_LENGTH = 22
"""Twenty-two characters of a 32-letter alphabet: 110 bits."""


def new_id() -> str:
    """A fresh id of 22 characters, from the system's entropy."""
    return "".join(secrets.choice(ALPHABET) for _ in range(ID_LENGTH))


def is_id(text: str) -> bool:
    """Whether this could be an id made here; anything else need not be looked up."""
    return len(text) == ID_LENGTH and all(letter in ALPHABET for letter in text)
