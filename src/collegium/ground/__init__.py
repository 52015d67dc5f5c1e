"""What everything stands on: ids, errors, the database, HTTP and logs. Small, and knows nothing above it."""
