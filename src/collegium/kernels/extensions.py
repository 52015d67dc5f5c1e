"""Scripts that packages of a runtime bring for browsers, through its agent."""

from collegium.ground.errors import Invalid, TooLarge
from collegium.kernels.files import OpenFile, parsed_file
from collegium.kernels.ports import Road
from collegium.kernels.side import beside

SCRIPT_BYTES_MAX = 32 * 1024 * 1024
PATH_LENGTH_MAX = 500


async def read_nbextension(road: Road, path: str) -> bytes:
    """The file of this name in `share/jupyter/nbextensions`. Raises NotFound, Invalid, TooLarge, Unavailable."""
    if len(path) > PATH_LENGTH_MAX or "\0" in path:
        raise Invalid("This is no name of a script.")
    async with beside(road, {"nbextension": path}) as side:
        header, _ = await side.frame()
        opened = OpenFile(side, parsed_file(header))
        if opened.file.size > SCRIPT_BYTES_MAX:
            raise TooLarge("The script is too large for a page.")
        return b"".join([piece async for piece in opened.pieces(0, opened.file.size)])
