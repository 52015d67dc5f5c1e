"""A notebook bound to a kernel: what runs next, and where its output goes."""
