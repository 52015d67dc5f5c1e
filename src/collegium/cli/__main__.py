"""`python -m collegium.cli` is `collegium`."""

from collegium.cli import main

main()
