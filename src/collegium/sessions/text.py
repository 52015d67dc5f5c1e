"""Text as a terminal leaves it: carriage returns, backspaces and erased lines applied, long middles left out."""

import re

HEAD_CHARACTERS = 256 * 1024
TAIL_CHARACTERS = 768 * 1024
TAIL_CHARACTERS_MAX = TAIL_CHARACTERS * 5 // 4
LINE_SEARCHED = 10_000
LINE_CHARACTERS_MAX = 256 * 1024
LINE_CHARACTERS_KEPT = 64 * 1024
STYLE_CHARACTERS_MAX = 200
ERASED_COLUMNS_MAX = 100_000
"""A line of a file that would have more erased than this stays as it is written."""

RETURN, BACKSPACE = "\r", "\x08"
MOVES = (RETURN, BACKSPACE)
_CONTROL = re.compile(r"[\r\x08\x1b]")
_TORN = re.compile(r"\x1b(\[[0-9;?]*)?$")
_BACKWARD = re.compile(r"\x1b\[(?:[12]K|[0-9]*D)")
"""Escapes that change what stands before them."""
_ERASES = re.compile(r"\x1b\[[0-9;]*K")
_TOKEN = re.compile(r"\r|\x08|\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b|[^\r\x08\x1b]+")


def units(text: str) -> int:
    """How many UTF-16 units this is: what browsers count."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def size(text: str) -> int:
    """How many bytes this is as UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def settled(text: str) -> str:
    """What a terminal shows in the end of a text that came whole. Nothing is left out, however long it is."""
    if not _moves(text):
        return text
    return "\n".join(_settled_line(line) for line in text.split("\n"))


def _moves(text: str) -> bool:
    return RETURN in text or BACKSPACE in text or _BACKWARD.search(text) is not None


def _settled_line(line: str) -> str:
    line = line.rstrip(RETURN)
    if not _moves(line):
        return line
    pieces = line.split(RETURN)
    if BACKSPACE not in line and "\x1b" not in line:
        shown = ""
        for piece in reversed(pieces):
            shown += piece[len(shown) :]
        return shown
    if len(_ERASES.findall(line)) * max(map(len, pieces)) > ERASED_COLUMNS_MAX:
        return line
    written = Line(in_columns=True)
    written.write(line)
    return written.text()


class Line:
    """The line that may still change. Columns are characters; colours keep the place they were written at."""

    def __init__(self, *, in_columns: bool = False) -> None:
        self._raw = ""
        self._at = 0
        self._escapes = False
        self._cells: list[tuple[str, str]] | None = [] if in_columns else None
        self._style = ""

    def text(self) -> str:
        """What the line shows."""
        if self._cells is None:
            return self._raw
        parts: list[str] = []
        now = ""
        for style, letter in self._cells:
            if style != now:
                parts.append(("\x1b[0m" if now else "") + style)
                now = style
            parts.append(letter)
        if now != self._style:
            parts.append(("\x1b[0m" if now else "") + self._style)
        return "".join(parts)

    @property
    def at_end(self) -> bool:
        """Whether what comes next only adds to the line."""
        return self._cells is None and self._at == len(self._raw)

    def extend(self, text: str) -> None:
        """Add text without control characters, at the end."""
        self._raw += text
        self._at = len(self._raw)

    def write(self, piece: str) -> int:
        """Apply text without newlines; returns the first column of the shown text that may have changed."""
        changed = len(self._raw) if self._cells is None else 0
        for token in _TOKEN.findall(piece):
            if self._cells is None:
                changed = min(changed, self._write_raw(token))
            if self._cells is not None:
                changed = 0
                self._write_cells(token)
        return changed

    def cut(self, kept: int) -> str:
        """Give up all but the last `kept` characters of a line that is only added to; returns what was given up."""
        assert self.at_end
        gone, self._raw = self._raw[:-kept], self._raw[-kept:]
        self._at = len(self._raw)
        return gone

    def _write_raw(self, token: str) -> int:
        """Without cells; turns to cells (leaving the token to them) when colours and moves meet."""
        at_end = self._at == len(self._raw)
        if token in MOVES:
            if self._escapes:
                self._to_cells()
                return 0
            self._at = 0 if token.startswith(RETURN) else max(0, self._at - 1)
            return len(self._raw)
        if token.startswith("\x1b"):
            if not at_end or _BACKWARD.fullmatch(token):
                self._to_cells()
                return 0
            self._raw += token
            self._at, self._escapes = len(self._raw), True
            return self._at
        start = self._at
        self._raw = self._raw[:start] + token + self._raw[start + len(token) :]
        self._at = start + len(token)
        return start

    def _to_cells(self) -> None:
        raw, at, escapes = self._raw, self._at, self._escapes
        self._raw, self._cells, self._at = "", [], 0
        for token in _TOKEN.findall(raw):
            self._write_cells(token)
        self._at = len(self._cells) if escapes else at

    def _write_cells(self, token: str) -> None:
        cells = self._cells
        assert cells is not None
        if token.startswith(RETURN):
            self._at = 0
        elif token.startswith(BACKSPACE):
            self._at = max(0, self._at - 1)
        elif token.startswith("\x1b"):
            self._escape(token, cells)
        else:
            written = [(self._style, letter) for letter in token]
            cells[self._at : self._at + len(written)] = written
            self._at += len(written)

    def _escape(self, token: str, cells: list[tuple[str, str]]) -> None:
        body, kind = token[2:-1], token[-1:]
        if kind == "m":
            reset = body in ("", "0")
            self._style = "" if reset else token if body.startswith("0;") else self._style + token
            if len(self._style) > STYLE_CHARACTERS_MAX:
                self._style = token
        elif kind == "K" and body in ("", "0"):
            del cells[self._at :]
        elif kind == "K" and body == "2":
            cells[:] = [("", " ")] * self._at
        elif kind == "K" and body == "1":
            blank = min(self._at + 1, len(cells))
            cells[:blank] = [("", " ")] * blank
        elif kind == "D" and (body or "1").isdigit():
            self._at = max(0, self._at - int((body or "1")[:6]))


class StreamText:
    """What a stream shows. Every chunk costs its own length; what is sent of it is remembered."""

    def __init__(self) -> None:
        self._head = ""
        self._tail: list[str] = []
        self._tail_length = 0
        self._line = Line()
        self._torn = ""
        self._omitted_bytes = 0
        self._sent = 0
        self._shrunk = False
        self.cut = False
        """The middle was left out since the last time everything was sent."""

    def add(self, chunk: str) -> None:
        """The stream goes on."""
        chunk, self._torn = self._torn + chunk, ""
        if torn := _TORN.search(chunk[-40:]):
            chunk, self._torn = chunk[: -len(torn.group())], torn.group()
        if self._line.at_end and not _CONTROL.search(chunk):
            newline = chunk.rfind("\n") + 1
            if newline:
                self._commit(self._line.text() + chunk[:newline])
                self._line = Line()
            self._line.extend(chunk[newline:])
        else:
            *lines, last = chunk.split("\n")
            for line in lines:
                self._write(line)
                self._commit(self._line.text() + "\n")
                self._line = Line()
            self._write(last)
        if self._line.at_end and len(self._line.text()) > LINE_CHARACTERS_MAX:
            self._commit(self._line.cut(LINE_CHARACTERS_KEPT))

    def text(self) -> str:
        """All that is here; for a while that may be somewhat more than is kept in the end."""
        return "".join((self._head, *self._tail, self._line.text()))

    def kept(self) -> tuple[str, int]:
        """The head and the tail as they are shown in the end, and how many bytes between them are left out.

        Depends on what was printed alone, not on the pieces it came in.
        """
        tail = "".join((*self._tail, self._line.text()))
        start = _tail_start(tail)
        return self._head + tail[start:], self._omitted_bytes + size(tail[:start])

    @property
    def omitted_bytes(self) -> int:
        """How much is left out of `text`."""
        return self._omitted_bytes

    @property
    def omitted_at(self) -> int:
        """Where the middle is missing, in UTF-16 units."""
        return units(self._head)

    def unsent(self, characters_max: int) -> tuple[int, str] | None:
        """What a reader lacks: the units it keeps, and what follows them; None if it has everything."""
        if not self.lacking:
            return None
        shown = self.text()
        sent = min(self._sent, len(shown))
        more = shown[sent : sent + characters_max]
        self._sent, self._shrunk = sent + len(more), False
        return units(shown[:sent]), more

    @property
    def lacking(self) -> bool:
        """A reader does not have everything."""
        return self._shrunk or self.lacks > 0

    @property
    def lacks(self) -> int:
        """How many characters a reader does not have."""
        return self._committed + len(self._line.text()) - self._sent

    def sent_first(self, characters_max: int) -> str:
        """A reader is given the beginning anew; `unsent` has the rest."""
        shown = self.text()[:characters_max]
        self._sent, self._shrunk, self.cut = len(shown), False, False
        return shown

    @property
    def _committed(self) -> int:
        return len(self._head) + self._tail_length

    def _write(self, piece: str) -> None:
        if piece:
            changed = self._line.write(piece)
            if self._committed + changed < self._sent:
                self._sent, self._shrunk = self._committed + changed, True

    def _commit(self, text: str) -> None:
        room = HEAD_CHARACTERS - len(self._head)
        if room > 0 and not self._tail:
            self._head += text[:room]
            text = text[room:]
        if not text:
            return
        self._tail.append(text)
        self._tail_length += len(text)
        if self._tail_length > TAIL_CHARACTERS_MAX:
            joined = "".join(self._tail)
            start = _tail_start(joined)
            self._omitted_bytes += size(joined[:start])
            self._tail, self._tail_length = [joined[start:]], len(joined) - start
            self._sent = min(self._sent, len(self._head))
            self.cut = True


def _tail_start(tail: str) -> int:
    """Where the shown tail begins: its last characters, from the start of a line if one is near."""
    if len(tail) <= TAIL_CHARACTERS:
        return 0
    start = len(tail) - TAIL_CHARACTERS
    newline = tail.find("\n", start, start + LINE_SEARCHED)
    return newline + 1 if newline >= 0 else start
