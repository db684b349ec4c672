"""``chatsubo box list``."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path


def test_boxes_are_listed_with_the_names_of_their_tracks(run, tmp_path: Path):
    file = tmp_path / "chatsubo.yml"
    file.write_text("database: {url: 'sqlite:///data.db'}\n")
    run("db", "upgrade", "--config", str(file))
    with closing(sqlite3.connect(tmp_path / "data.db")) as connection, connection:
        connection.execute(
            "insert into tracks (id, slug, name, icon, position) values (7, 'web-wires', 'Web & Wires', 'flag', 1)"
        )
        connection.execute(
            "insert into boxes (slug, name, template, dynamic, description, os, difficulty, duration, authors,"
            " track_id, created_at) values ('ice', 'Ice', 'ice', 1, '', 'Linux', 3, 60, '[]', 7, '2026-11-23 12:00:00')"
        )

    table = run("box", "list", "--config", str(file))
    (row,) = json.loads(run("box", "list", "--json", "--config", str(file)).stdout)

    assert (table.exit_code, "Web & Wires" in table.stdout) == (0, True), table.output
    assert (row["slug"], row["track"], row["state"]) == ("ice", "Web & Wires", "draft")
