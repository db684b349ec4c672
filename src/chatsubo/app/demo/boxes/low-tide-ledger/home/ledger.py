"""A bar's ledger on the web. It is broken on purpose: its search talks to the database, its printer to the shell."""

import html
import json
import secrets
import sqlite3
import subprocess
import sys
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

DATABASE = Path("ledger.db")
STYLE = Path("static/style.css")
LONGEST_FORM = 8192
SECONDS_PER_RECEIPT = 5

DRINKS = (
    ("Tidewater", "house gin, brine, one drop of something blue", 9, 0),
    ("Slow Modem", "dark rum and patience; arrives when it arrives", 11, 0),
    ("Cold Boot", "vodka from the freezer, no questions", 8, 0),
    ("Packet Loss", "you will not remember half of it", 14, 0),
    ("Graveyard Shift", "coffee, rye, a cherry with a past", 10, 0),
    ("Null and Tonic", "looks like a drink, costs like a drink", 6, 0),
    ("Mika's Own", "not for sale", 0, 1),
)
TAB = (("Cold Boot", 3), ("Packet Loss", 1), ("Graveyard Shift", 2))

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Low Tide</title><link rel="stylesheet" href="style.css"></head>
<body><main><header><h1>Low&nbsp;Tide</h1><p>open till the water comes back</p>{door}</header>
{body}
<footer>LEDGER 2.1 &middot; written on a napkin &middot; pay Mika, not the machine</footer></main></body></html>"""


def make_database(house: dict[str, str]) -> None:
    """Write the house's books anew."""
    DATABASE.unlink(missing_ok=True)
    with sqlite3.connect(DATABASE) as books:
        books.execute("CREATE TABLE drinks (name TEXT, recipe TEXT, price INTEGER, hidden INTEGER)")
        books.execute("CREATE TABLE patrons (handle TEXT, pin TEXT, keeper INTEGER, private_note TEXT)")
        books.executemany("INSERT INTO drinks VALUES (?, ?, ?, ?)", DRINKS)
        patrons = (
            (house["regular"], house["regular_pin"], 0, "tips in coins"),
            ("coyle", secrets.token_hex(4), 0, "wrote this thing; still owes 412"),
            (house["keeper"], house["keeper_pin"], 1, f"if I forget again: {house['motto']}"),
        )
        books.executemany("INSERT INTO patrons VALUES (?, ?, ?, ?)", patrons)
    books.close()


def ask_books(query: str, *values: str) -> list[tuple[object, ...]]:
    """Return the rows of a query; the books cannot be written through it."""
    books = sqlite3.connect(f"file:{DATABASE}?mode=ro", uri=True)
    try:
        return books.execute(query, values).fetchall()
    finally:
        books.close()


class Ledger(BaseHTTPRequestHandler):
    """One visitor's request."""

    logins: dict[str, tuple[str, bool]] = {}  # noqa: RUF012  one bar, one list
    server_version = "LowTide/2.1"
    sys_version = ""
    timeout = 20

    def do_GET(self) -> None:
        """Show a page."""
        url = urlsplit(self.path)
        if url.path == "/style.css":
            self.answer(STYLE.read_bytes(), "text/css")
        elif url.path == "/leave":
            self.logins.pop(self.token(), None)
            self.send_to("/")
        elif url.path == "/office":
            self.office("")
        elif url.path == "/":
            self.bar(parse_qs(url.query).get("q", [""])[0])
        else:
            self.show("<section><h2>No such door</h2><p>That one leads to the water.</p></section>", 404)

    def do_POST(self) -> None:
        """Take a form."""
        length = int(self.headers.get("Content-Length") or 0)
        if length > LONGEST_FORM:
            self.show("<section><h2>Too long</h2><p>Nobody reads that much here.</p></section>", 413)
            return
        fields = parse_qs(self.rfile.read(length).decode(errors="replace"))
        form = {name: values[0] for name, values in fields.items()}
        if self.path == "/enter":
            self.enter(form)
        elif self.path == "/office":
            self.office(form.get("line", ""))
        else:
            self.send_to("/")

    def bar(self, wanted: str) -> None:
        """Show the drinks, and the tab of whoever is known."""
        query = f"SELECT name, recipe, price FROM drinks WHERE hidden = 0 AND name LIKE '%{wanted}%'"
        try:
            rows = ask_books(query)
            drinks = "".join(
                f"<tr><th>{shown(name)}</th><td>{shown(recipe)}</td><td class='sum'>{shown(price)}</td></tr>"
                for name, recipe, price in rows
            )
            found = f"<table>{drinks}</table>" if rows else "<p>Never heard of it, and the house has heard it all.</p>"
        except sqlite3.Error as error:
            found = f"<p class='fault'>The ledger coughs: {shown(error)}</p>"
        search = f"<input name='q' value='{shown(wanted)}' placeholder='a drink' autofocus><button>Look</button>"
        self.show(f"<section><h2>What will it be?</h2><form>{search}</form>{found}</section>{self.tab()}")

    def tab(self) -> str:
        """Return the visitor's tab, or the door."""
        handle, keeper = self.who()
        if not handle:
            return """<section><h2>Your tab</h2><form method="post" action="enter">
            <input name="handle" placeholder="handle"><input name="pin" type="password" placeholder="PIN">
            <button>Show it</button></form></section>"""
        if keeper:
            return "<section><h2>Yours, Mika</h2><p>The <a href='office'>office</a> is unlocked.</p></section>"
        prices = {name: price for name, _, price, _ in DRINKS}
        lines = "".join(
            f"<tr><th>{name}</th><td>&times; {count}</td><td class='sum'>{count * prices[name]}</td></tr>"
            for name, count in TAB
        )
        total = sum(count * prices[name] for name, count in TAB)
        return f"""<section><h2>Tab of {shown(handle)}</h2><table>{lines}<tr class="total"><th>You owe</th><td></td>
        <td class="sum">{total}</td></tr></table></section>"""

    def enter(self, form: dict[str, str]) -> None:
        """Let a patron in who knows the PIN."""
        query = "SELECT handle, keeper FROM patrons WHERE handle = ? AND pin = ?"
        rows = ask_books(query, form.get("handle", ""), form.get("pin", ""))
        if not rows:
            self.show("<section><h2>No</h2><p>Mika looks at you, then at the door.</p></section>", 403)
            return
        token = secrets.token_urlsafe()
        self.logins[token] = (str(rows[0][0]), bool(rows[0][1]))
        self.send_to("/", token)

    def office(self, line: str) -> None:
        """Show the keeper's page, and print what she wants printed."""
        if not self.who()[1]:
            self.show("<section><h2>Staff only</h2><p>The office is Mika's. You are not Mika.</p></section>", 403)
            return
        paper = f"<pre class='paper'>{shown(print_receipt(line))}</pre>" if line else ""
        self.show(f"""<section><h2>Office</h2><p>The safe is on the left (<code>safe/</code>), the printer on the right.
        It prints one line and then wants to be hit.</p><form method="post" action="office">
        <input name="line" value="{shown(line)}" placeholder="a line for the receipt" autofocus>
        <button>Print</button></form>{paper}</section>""")

    def who(self) -> tuple[str, bool]:
        """Return the visitor's handle, empty for a stranger, and whether it is the keeper."""
        return self.logins.get(self.token(), ("", False))

    def token(self) -> str:
        """Return the visitor's cookie."""
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get("tab")
        return cookie.value if cookie else ""

    def show(self, body: str, status: int = 200) -> None:
        """Send a page."""
        handle, _ = self.who()
        door = f"<p class='door'>{shown(handle)} &middot; <a href='leave'>leave</a></p>" if handle else ""
        self.answer(PAGE.format(door=door, body=body).encode(), "text/html; charset=utf-8", status)

    def answer(self, content: bytes, kind: str, status: int = 200) -> None:
        """Send bytes."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def send_to(self, place: str, token: str = "") -> None:
        """Send the visitor to another page."""
        self.send_response(303)
        self.send_header("Location", place)
        if token:
            self.send_header("Set-Cookie", f"tab={token}; HttpOnly; SameSite=Lax; Path=/")
        self.send_header("Content-Length", "0")
        self.end_headers()


def print_receipt(line: str) -> str:
    """Print one line the way the old printer likes it, and return what came out."""
    command = f'echo "{line}" | fold -w 72'
    try:
        done = subprocess.run(
            command, shell=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS_PER_RECEIPT, check=False
        )
    except subprocess.TimeoutExpired:
        return "(paper jam)"
    return (done.stdout + done.stderr).decode(errors="replace") or "(blank paper)"


def shown(value: object) -> str:
    """Return a value for a page."""
    return html.escape(str(value), quote=True)


class Server(ThreadingHTTPServer):
    """The front of the house."""

    daemon_threads = True
    allow_reuse_address = True


def main(address: str, port: int) -> None:
    """Serve for ever."""
    make_database(json.loads(Path("house.json").read_text(encoding="utf-8")))
    with Server((address, port), Ledger) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
