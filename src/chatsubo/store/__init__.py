"""Tables, queries and migrations: SQLite embedded, PostgreSQL beyond one process."""
