"""lib0's variable-length unsigned integers, in which Yjs and its awareness protocol count."""


def uint(value: int) -> bytes:
    """lib0's variable-length unsigned integer."""
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def read_uint(data: bytes, at: int) -> tuple[int, int]:
    """Such an integer and where it ends. Raises IndexError or ValueError."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 56:
            raise ValueError("too long")
