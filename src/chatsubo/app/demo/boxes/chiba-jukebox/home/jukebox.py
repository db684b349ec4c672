"""A jukebox that listens on a TCP port. It is broken on purpose: its ticker leaks, and its service menu obeys."""

import json
import signal
import socketserver
import sys
from pathlib import Path

BANNER = r"""
        .-=====================-.
      .'  _   _ ____      _____  '.
     /   | \ | |  _ \ ___|___  |   \
    |    |  \| | |_) |___|  / /     |
    |    | |\  |  _ <      / /      |
    |    |_| \_|_| \_\    /_/       |
    |===============================|
    | .---------------------------. |
    | |  N O   R E F U N D S      | |
    | '---------------------------' |
    |  o o o o o   ()   o o o o o   |
    |_______________________________|

 NORIAKI-REYES NR-77    one speaker ok, one speaker gone
 Type HELP, as the tourists do.
"""

HELP = """\
 LIST              what is on the records
 COIN              drop a coin, if you think it counts them
 PLAY number       play a record
 DEDICATE words    put words on the ticker while it plays;
                   {title} and {artist} are filled in
 SERVICE code      for the man with the screwdriver
 QUIT              walk away
"""

SERVICE_HELP = """\
 The front swings open. It smells of dust and warm valves.
 SUM formula       credit calculator; "coins" is what is in the box,
                   as in: SUM coins * 3 + 1
 CLOSE             shut the front again
"""

RECORDS = (
    ("Carrier Lost", "The Quiet Bands"),
    ("Rain On Hot Circuit", "Yuki & the Overclocks"),
    ("Nobody's Uplink", "Baltimore Static"),
    ("Four In The Morning, Pier 9", "Lonnie Zaibatsu"),
    ("Black Glass, Blue Ice", "Thirteen Razors"),
    ("My Liver Is On Loan", "Organ Bank Trio"),
)

FORBIDDEN = ("import", "open", "eval", "exec", "input", "compile")
LONGEST_LINE = 400
SECONDS_PER_SUM = 5
SECONDS_UNTIL_IT_DOZES = 600


class Jukebox:
    """The machine, with everything it knows."""

    def __init__(self, settings: dict[str, object]) -> None:
        self.model = "NR-77"
        self.settings = settings
        self.records = [Record(number, *record, self) for number, record in enumerate(RECORDS, start=1)]


class Record:
    """One of its records."""

    def __init__(self, number: int, title: str, artist: str, jukebox: Jukebox) -> None:
        self.number = number
        self.title = title
        self.artist = artist
        self.jukebox = jukebox


class Terminal(socketserver.StreamRequestHandler):
    """One customer at the terminal."""

    timeout = SECONDS_UNTIL_IT_DOZES
    jukebox: Jukebox

    def handle(self) -> None:
        """Serve until the customer leaves."""
        self.coins = 2
        self.playing: Record | None = None
        self.in_service = False
        try:
            self.say(BANNER)
            while line := self.ask():
                verb, _, words = line.strip().partition(" ")
                if not self.obey(verb.upper(), words.strip()):
                    break
        except OSError:
            return

    def ask(self) -> str:
        """Return the next line; empty at the end."""
        self.wfile.write(b"service> " if self.in_service else b"nr77> ")
        return self.rfile.readline(LONGEST_LINE).decode(errors="replace")

    def say(self, text: object) -> None:
        """Print something."""
        self.wfile.write(f"{text}\n".encode(errors="replace"))

    def obey(self, verb: str, words: str) -> bool:
        """Do what was typed; False ends it."""
        if self.in_service:
            if verb == "SUM":
                self.sum(words)
            elif verb == "CLOSE":
                self.in_service = False
            else:
                self.say(SERVICE_HELP)
        elif verb in {"QUIT", "EXIT"}:
            self.say(" It goes on humming without you.")
            return False
        elif verb in {"LIST", "COIN", "PLAY", "DEDICATE", "SERVICE"}:
            getattr(self, verb.lower())(words)
        elif verb:
            self.say(HELP)
        return True

    def list(self, _words: str) -> None:
        """Show the records."""
        for record in self.jukebox.records:
            self.say(f"  {record.number:>2}  {record.title:<30} {record.artist}")

    def coin(self, _words: str) -> None:
        """Take a coin."""
        self.coins += 1
        self.say(f" *clunk*   credit: {self.coins}")

    def play(self, words: str) -> None:
        """Play a record."""
        chosen = [record for record in self.jukebox.records if str(record.number) == words]
        if not chosen:
            self.say(" The arm sweeps over an empty slot. Try LIST.")
        elif not self.coins:
            self.say(" The slot blinks. COIN?")
        else:
            self.coins -= 1
            self.playing = chosen[0]
            self.say(f" *needle*  {self.playing.title} / {self.playing.artist}")

    def dedicate(self, words: str) -> None:
        """Put words on the ticker."""
        if self.playing is None:
            self.say(" Dedicate silence? PLAY something first.")
            return
        record = self.playing
        try:
            crawl = words.format(title=record.title, artist=record.artist, record=record)
        except KeyError as error:
            crawl = f"TICKER FAULT: NO FIELD {error}. FIELDS: title, artist, record"
        except (AttributeError, IndexError, MemoryError, OverflowError, TypeError, ValueError) as error:
            crawl = f"TICKER FAULT: {error}"
        self.say(f" >>> {crawl} <<<")

    def service(self, words: str) -> None:
        """Open the front, for who knows the code."""
        if words == self.jukebox.settings["service_code"]:
            self.in_service = True
            self.say(SERVICE_HELP)
        else:
            self.say(" A relay clicks, disappointed. The code is eight characters.")

    def sum(self, formula: str) -> None:
        """Do a sum, as if nothing could go wrong."""
        for word in FORBIDDEN:
            if word in formula.lower():
                self.say(f" It was told never to say {word!r}.")
                return
        # Whoever makes it think too long is left alone with the echo.
        signal.alarm(SECONDS_PER_SUM)
        try:
            # Broken on purpose: without its builtins Python is still Python.
            self.say(f" = {eval(formula, {'__builtins__': {}}, {'coins': self.coins})}")
        except Exception as error:  # noqa: BLE001  whatever was typed
            self.say(f" Smoke. {type(error).__name__}: {error}")
        finally:
            signal.alarm(0)


class Server(socketserver.ForkingTCPServer):
    """A process for each customer, so that none can jam it for the others."""

    allow_reuse_address = True
    max_children = 24


def main(address: str, port: int) -> None:
    """Serve for ever."""
    Terminal.jukebox = Jukebox(json.loads(Path("settings.json").read_text(encoding="utf-8")))
    with Server((address, port), Terminal) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
