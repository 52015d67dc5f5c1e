"""Users, their logins and tokens, and what a role may do."""
