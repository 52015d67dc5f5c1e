"""Notifications: what people are told in the page and by mail, and whether they have seen it."""
