"""What people do inside a runtime by hand: terminals, files, and the ports of their own servers."""
