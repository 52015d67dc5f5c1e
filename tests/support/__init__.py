"""Tools that tests share: a real server, a tab without a browser, a browser."""
