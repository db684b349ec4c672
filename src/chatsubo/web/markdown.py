"""Organisers' Markdown as HTML that is safe in any page."""

from collections.abc import Sequence
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

_TAGS = {
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "hr", "img", "li", "ol", "p", "pre", "s", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto"}


class _Renderer(RendererHTML):
    """Writes a link where a picture of another site would be: the pages' policy lets browsers fetch none."""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        source = str(tokens[idx].attrGet("src"))
        if source.startswith("/") and not source.startswith("//"):
            return super().image(tokens, idx, options, env)
        words = self.renderInlineAsText(tokens[idx].children, options, env)
        return str(Markup('<a href="{source}">{words}</a>').format(source=source, words=words or source))


_parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer).enable(["table", "strikethrough"])


@lru_cache(maxsize=512)
def markdown(source: str) -> Markup:
    """Return ``source`` as HTML: its own HTML shown as text, and nothing left in it that could run."""
    html = nh3.clean(
        _parser.render(source),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(html)  # noqa: S704  cleaned one line above
