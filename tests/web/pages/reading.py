"""Pages as a browser reads them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@dataclass
class Form:
    """A form: where it goes, and what it sends if nobody types anything."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """What is on a page: its elements, addresses, forms and text; and elements that were never closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.forms: list[Form] = []
        self.text = ""
        self.open: list[str] = []
        self.mistakes: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if len(found) != len(attrs):
            self.mistakes.append(f"<{tag}> has an attribute twice: {attrs}")
        self.elements.append((tag, found))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "form":
            self.forms.append(Form(found.get("action") or "", (found.get("method") or "get").lower()))
        elif tag in ("input", "textarea", "select") and "form" in self.open and found.get("name"):
            self.forms[-1].fields[found["name"]] = found.get("value") or ""

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.mistakes.append(f"</{tag}> where {self.open[-3:]} is open")
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data):
        self.text += data

    @property
    def addresses(self) -> set[str]:
        """All addresses that the page leads to or loads, without fragments."""
        names = ("href", "src", "action", "hx-get", "hx-post", "data-live")
        found = (value for _, attributes in self.elements for name, value in attributes.items() if name in names)
        return {value.split("#")[0] for value in found if value and not value.startswith("#")}

    @property
    def local(self) -> set[str]:
        """Those of its addresses that are on this server."""
        return {address for address in self.addresses if not urlsplit(address).netloc}

    @property
    def loads(self) -> set[str]:
        """What can be asked for without doing anything."""
        names = ("href", "src", "hx-get")
        found = {v for _, a in self.elements for name, v in a.items() if name in names and v and not v.startswith("#")}
        return {address.split("#")[0] for address in found if not urlsplit(address).netloc}

    def unsafe(self) -> list[str]:
        """What our content security policy would refuse to run, or should."""
        return [
            f"<{tag} {name}={value!r}>"
            for tag, attributes in self.elements
            for name, value in [*attributes.items(), ("", None)]
            if name == "style"
            or name.startswith(("on", "hx-on", "hx-vals", "hx-vars"))
            or (
                name in ("href", "src", "action") and (value or "").strip().lower().startswith(("javascript:", "data:"))
            )
            or (name == "" and tag == "style")
            or (name == "" and tag == "script" and "src" not in attributes)
        ]

    def form(self, action: str) -> Form:
        """The form that is sent to an address ending with ``action``."""
        return next(one for one in self.forms if one.action.endswith(action))
