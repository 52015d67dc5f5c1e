"""The processes of one server: who is alive, who leads, and how one speaks to another."""
