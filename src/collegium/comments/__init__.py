"""Comments: threads on cells and on ranges of text, which nobody needs to write in a notebook for."""
