"""Reads a stranger's Yjs v1 update, and lets it near a document only if it is whole and keeps to the schema.

The CRDT library behind the document trusts what it is given, and can be brought down by it. So every update is read
here first, byte by byte: only allowed client ids, clocks without gaps, references to what exists, text that is text,
no half of a surrogate pair cut off, and only the roots, keys, types and values of the document schema.
"""

import re
import struct
from array import array
from bisect import bisect_right
from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from collegium.notebooks.positions import is_position

UPDATE_BYTES_MAX = 4 << 20
STRUCTS_MAX = 100_000
DELETES_MAX = 200_000
DEPTH_MAX = 32
CLOCK_MAX = 1 << 31
CLIENT_MAX = 1 << 53
KEY_LENGTH_MAX = 1024
POSITION_LENGTH_MAX = 256
CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")

type_map, type_text = 1, 2
GC, DELETED, STRING, TYPE, ANY = 0, 1, 4, 7, 8

# What an item is to the schema. Text is not indexed: whatever the index does not know is text.
TEXT, GONE, META_VERSION, META_INT, META_VALUE, CELL = 0, 1, 2, 3, 4, 5
KIND, POSITION, SOURCE, METADATA, ATTACHMENTS, TRASHED, METADATA_VALUE, ATTACHMENT = 6, 7, 8, 9, 10, 11, 12, 13

CELL_KEYS = {"t": KIND, "pos": POSITION, "source": SOURCE, "md": METADATA, "att": ATTACHMENTS, "del": TRASHED}
META_KEYS = {"v": META_VERSION, "nbformat": META_INT, "nbformat_minor": META_INT}
TYPE_OF_SLOT = {CELL: type_map, METADATA: type_map, ATTACHMENTS: type_map, SOURCE: type_text}
KINDS = frozenset(("code", "markdown", "raw"))

Id = tuple[int, int]


class Reject(ValueError):
    """This update may not touch the document; the text says why."""


@dataclass(frozen=True, slots=True)
class Struct:
    """One item of an update, as it is on the wire."""

    clock: int
    length: int
    ref: int
    origin: Id | None
    right: Id | None
    keyed: bool
    root: str | None
    parent: Id | None
    key: str | None
    value: object
    """The string, the type's number, or the list of JSON values, by `ref`."""


@dataclass(frozen=True, slots=True)
class Update:
    """A whole update: for each client its consecutive structs, and what it deletes."""

    blocks: dict[int, list[Struct]]
    deletes: list[tuple[int, int, int]]


class Reader:
    """A cursor over bytes that refuses to run past their end."""

    __slots__ = ("at", "data", "end")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.end = len(data)

    def byte(self) -> int:
        """The next byte."""
        if self.at >= self.end:
            raise Reject("it ends too early")
        value = self.data[self.at]
        self.at += 1
        return value

    def uint(self) -> int:
        """A variable-length unsigned integer below 2^63."""
        value = shift = 0
        data, end, at = self.data, self.end, self.at
        while True:
            if at >= end:
                raise Reject("it ends too early")
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                self.at = at
                return value
            shift += 7
            if shift > 56:
                raise Reject("a number is too long")

    def count(self) -> int:
        """A number of things that follow, each of at least one byte."""
        value = self.uint()
        if value > self.end - self.at:
            raise Reject("a count runs past the end")
        return value

    def id(self) -> Id:
        """A client and a clock."""
        return self.uint(), self.uint()

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        if size > self.end - self.at:
            raise Reject("a length runs past the end")
        value = self.data[self.at : self.at + size]
        self.at += size
        return value

    def string(self) -> str:
        """Valid UTF-8."""
        try:
            return str(self.take(self.uint()), "utf-8")
        except UnicodeDecodeError:
            raise Reject("a text is not UTF-8") from None

    def json(self, depth: int = 0) -> object:
        """A JSON value in lib0's encoding; what JSON cannot hold is refused."""
        if depth > DEPTH_MAX:
            raise Reject("a value is nested too deeply")
        match self.byte():
            case 119:
                return self.string()
            case 125:
                return self._int()
            case 126 | 127:
                return None
            case 120:
                return True
            case 121:
                return False
            case 124:
                return self._float(">f", 4)
            case 123:
                return self._float(">d", 8)
            case 118:
                return {self.string(): self.json(depth + 1) for _ in range(self.count())}
            case 117:
                return [self.json(depth + 1) for _ in range(self.count())]
            case _:
                raise Reject("a value is not JSON")

    def _int(self) -> int:
        byte = self.byte()
        negative = byte & 64
        value, shift = byte & 63, 6
        while byte & 128:
            byte = self.byte()
            value |= (byte & 127) << shift
            shift += 7
            if shift > 56:
                raise Reject("a number is too long")
        if value >= CLIENT_MAX:
            raise Reject("a number is too large")
        return -value if negative else value

    def _float(self, form: str, size: int) -> float:
        value = float(struct.unpack(form, self.take(size))[0])
        if value - value != 0.0:
            raise Reject("a number is not finite")
        return value


def decode(data: bytes, *, bytes_max: int = UPDATE_BYTES_MAX, structs_max: int = STRUCTS_MAX) -> Update:
    """Take an update apart. Raises Reject for anything that is not exactly one well-formed update."""
    if len(data) > bytes_max:
        raise Reject("it is too large")
    reader = Reader(data)
    blocks: dict[int, list[Struct]] = {}
    budget = structs_max
    for _ in range(reader.count()):
        count = reader.count()
        client, clock = reader.uint(), reader.uint()
        budget -= count
        if client >= CLIENT_MAX or client in blocks or count == 0:
            raise Reject("a client's part is malformed")
        if budget < 0:
            raise Reject("it has too many items")
        structs = []
        for _ in range(count):
            item = _decode_struct(reader, clock)
            clock += item.length
            if item.length == 0 or clock > CLOCK_MAX:
                raise Reject("a clock runs over")
            structs.append(item)
        blocks[client] = structs
    deletes = _decode_deletes(reader)
    if reader.at != reader.end:
        raise Reject("something follows its end")
    return Update(blocks, deletes)


def _decode_struct(reader: Reader, clock: int) -> Struct:
    info = reader.byte()
    ref = info & 31
    if ref == GC:
        if info:
            raise Reject("an item is malformed")
        return Struct(clock, reader.uint(), GC, None, None, False, None, None, None, None)
    origin = reader.id() if info & 0x80 else None
    right = reader.id() if info & 0x40 else None
    root = parent = key = None
    keyed = bool(info & 0x20)
    if not info & 0xC0:
        match reader.uint():
            case 1:
                root = reader.string()
            case 0:
                parent = reader.id()
            case _:
                raise Reject("an item has no place")
        if keyed:
            key = reader.string()
    value: object = None
    match ref:
        case 1:
            length = reader.uint()
        case 4:
            value = text = reader.string()
            length = len(text) if text.isascii() else len(text) + sum(letter > "\uffff" for letter in text)
        case 7:
            value, length = reader.uint(), 1
            if value not in (type_map, type_text):
                raise Reject("the schema has no such type")
        case 8:
            length = reader.count()
            value = [reader.json() for _ in range(length)]
        case _:
            raise Reject(f"content of kind {ref} has no place in a notebook")
    return Struct(clock, length, ref, origin, right, keyed, root, parent, key, value)


def _decode_deletes(reader: Reader) -> list[tuple[int, int, int]]:
    deletes: list[tuple[int, int, int]] = []
    clients: set[int] = set()
    for _ in range(reader.count()):
        client = reader.uint()
        if client in clients:
            raise Reject("a client's part is malformed")
        clients.add(client)
        for _ in range(reader.count()):
            clock, length = reader.uint(), reader.uint()
            if length == 0:
                raise Reject("a deletion of nothing")
            deletes.append((client, clock, length))
        if len(deletes) > DELETES_MAX:
            raise Reject("it deletes too many ranges")
    return deletes


class _Ranges:
    """What one client's items are, by clock; grows only at its end, and can be cut back."""

    __slots__ = ("ends", "slots", "starts")

    def __init__(self) -> None:
        self.starts = array("Q")
        self.ends = array("Q")
        self.slots = bytearray()

    def add(self, start: int, end: int, slot: int) -> None:
        self.starts.append(start)
        self.ends.append(end)
        self.slots.append(slot)

    def find(self, clock: int) -> int:
        at = bisect_right(self.starts, clock) - 1
        return self.slots[at] if at >= 0 and clock < self.ends[at] else TEXT

    def cut(self, size: int) -> None:
        del self.starts[size:]
        del self.ends[size:]
        del self.slots[size:]


@dataclass(slots=True)
class Index:
    """What must be known of a document to judge an update to it: clocks, where the maps are, where pairs are."""

    clocks: dict[int, int] = field(default_factory=dict)
    ranges: dict[int, _Ranges] = field(default_factory=dict)
    low_halves: dict[int, set[int]] = field(default_factory=dict)

    def slot(self, id: Id) -> int:
        """What the item at this id is to the schema."""
        ranges = self.ranges.get(id[0])
        return TEXT if ranges is None else ranges.find(id[1])

    def admit(self, update: Update, allowed: Container[int] | None = None) -> dict[int, int]:
        """Take note of an update that is about to be applied; the clocks of its clients before it.

        `allowed`: the only client ids that may have written it (None: any, for what we stored ourselves).
        Raises Reject, and then nothing was noted.
        """
        sizes = {client: len(ranges.slots) for client, ranges in self.ranges.items() if client in update.blocks}
        pairs: list[Id] = []
        try:
            ends = _Admission(self, update, allowed, pairs).run()
            self._check_deletes(update, ends)
        except Reject:
            for client in update.blocks:
                if client in self.ranges:
                    self.ranges[client].cut(sizes.get(client, 0))
            for client, clock in pairs:
                self.low_halves[client].discard(clock)
            raise
        before = {client: self.clocks.get(client, 0) for client in ends}
        self.clocks.update(ends)
        return before

    def _check_deletes(self, update: Update, ends: Mapping[int, int]) -> None:
        for client, clock, length in update.deletes:
            if clock + length > ends.get(client, self.clocks.get(client, 0)):
                raise Reject("it deletes what does not exist")
            low = self.low_halves.get(client)
            if low and (clock in low or clock + length in low):
                raise Reject("it cuts a character in two")


class _Admission:
    """Walks an update in an order in which every item finds what it refers to."""

    def __init__(self, index: Index, update: Update, allowed: Container[int] | None, pairs: list[Id]) -> None:
        self.index = index
        self.blocks = update.blocks
        self.pairs = pairs
        self.known = index.clocks
        self.done: dict[int, int] = {}
        for client, structs in update.blocks.items():
            if allowed is not None and client not in allowed:
                raise Reject("it is written in another client's name")
            clock = index.clocks.get(client, 0)
            if structs[0].clock > clock:
                raise Reject("it leaves a gap")
            self.done[client] = clock

    def run(self) -> dict[int, int]:
        """The clock of each client after it."""
        at = dict.fromkeys(self.blocks, 0)
        progress = True
        while progress:
            progress = False
            for client, structs in self.blocks.items():
                start = at[client]
                position = start
                while position < len(structs) and self._take(client, structs[position]):
                    position += 1
                at[client] = position
                progress = progress or position > start
        if any(at[client] < len(structs) for client, structs in self.blocks.items()):
            raise Reject("it refers to what does not exist")
        return self.done

    def _exists(self, id: Id | None) -> bool:
        if id is None:
            return True
        client, clock = id
        return clock < self.done.get(client, self.known.get(client, 0))

    def _take(self, client: int, item: Struct) -> bool:
        """False: something it refers to is still to come."""
        end = item.clock + item.length
        known = self.done[client]
        if end <= known:
            return True
        if not (self._exists(item.origin) and self._exists(item.right) and self._exists(item.parent)):
            return False
        slot = self._slot(item)
        if item.clock < known and slot != self.index.slot((client, known - 1)):
            # Only its rest is new, and that will stand after what we have, whatever place it claims.
            raise Reject("it contradicts what was said before")
        if item.clock < known and isinstance(item.value, str) and _inside_pair(item.value, known - item.clock):
            raise Reject("it cuts a character in two")
        _check_content(slot, item)
        if slot != TEXT:
            self.index.ranges.setdefault(client, _Ranges()).add(max(item.clock, known), end, slot)
        elif item.ref == STRING:
            text = item.value
            assert isinstance(text, str)
            if not text.isascii():
                self._note_pairs(client, item.clock, text)
        self.done[client] = end
        return True

    def _slot(self, item: Struct) -> int:
        if item.ref == GC:
            return GONE
        if item.origin is None and item.right is None:
            return self._slot_by_parent(item)
        # Its neighbours may be one and the same: Yjs writes so when it undoes the deletion of several insertions.
        index = self.index
        slot = index.slot(item.origin or item.right or (0, 0))
        other = slot if item.origin is None or item.right is None else index.slot(item.right)
        if slot != other and GONE not in (slot, other):
            raise Reject("an item lies between two places")
        # An entry of a map that names its origin need not say that it has a key: Y.mergeUpdates drops that bit, and
        # every reader takes parent and key from the origin.
        if slot not in (TEXT, GONE) and item.right is not None:
            raise Reject("a map has no order")
        if slot == TEXT and item.keyed:
            raise Reject("a text has no keys")
        low = index.low_halves
        if low:
            if item.origin is not None and item.origin[1] + 1 in low.get(item.origin[0], ()):
                raise Reject("it cuts a character in two")
            if item.right is not None and item.right[1] in low.get(item.right[0], ()):
                raise Reject("it cuts a character in two")
        return slot

    def _slot_by_parent(self, item: Struct) -> int:
        key = item.key
        if key is not None and len(key) > KEY_LENGTH_MAX:
            raise Reject("a key is too long")
        if item.root is not None:
            if key is not None and item.root == "meta":
                slot = META_KEYS.get(key) or (META_VALUE if key.startswith("md:") else None)
            elif key is not None and item.root == "cells":
                slot = CELL if CELL_ID.match(key) else None
            else:
                slot = None
        else:
            assert item.parent is not None
            match self.index.slot(item.parent):
                case 5:
                    slot = CELL_KEYS.get(key or "")
                case 8:
                    slot = TEXT if key is None else None
                case 9:
                    slot = METADATA_VALUE if key is not None else None
                case 10:
                    slot = ATTACHMENT if key is not None else None
                case 1:
                    slot = GONE
                case _:
                    slot = None
        if slot is None:
            raise Reject("the schema has no such place")
        return slot

    def _note_pairs(self, client: int, clock: int, text: str) -> None:
        for letter in text:
            clock += 1
            if letter > "\uffff":
                self.index.low_halves.setdefault(client, set()).add(clock)
                self.pairs.append((client, clock))
                clock += 1


def _inside_pair(text: str, units: int) -> bool:
    """Whether this many UTF-16 units end in the middle of a character."""
    for letter in text:
        if units <= 0:
            break
        units -= 2 if letter > "\uffff" else 1
    return units < 0


def _check_content(slot: int, item: Struct) -> None:
    match item.ref:
        case 0 | 1:
            return
        case 4:
            good = slot in (TEXT, GONE)
        case 7:
            good = item.value == TYPE_OF_SLOT.get(slot) or slot == GONE
        case _:
            assert isinstance(item.value, list)
            good = slot != TEXT and slot not in TYPE_OF_SLOT and all(_good_value(slot, value) for value in item.value)
    if not good:
        raise Reject("the schema has another kind of value there")


def _good_value(slot: int, value: object) -> bool:
    match slot:
        case 2:
            return value == 1
        case 3:
            return isinstance(value, (int, float)) and 0 <= value < 1000
        case 6:
            return value in KINDS
        case 7:
            return isinstance(value, str) and len(value) <= POSITION_LENGTH_MAX and is_position(value)
        case 11:
            return value is None or (
                isinstance(value, dict)
                and value.keys() == {"by", "at"}
                and isinstance(value["by"], str)
                and isinstance(value["at"], (int, float))
            )
        case 13:
            return isinstance(value, dict)
        case _:
            return True
