"""Why a request is refused before anybody looks at what it wants."""

from chatsubo.domain.errors import ChatsuboError
from chatsubo.domain.text import N_


class Malformed(ChatsuboError):
    """The request cannot be understood: broken JSON, a wrong encoding, bytes that no text has."""

    code = "malformed"
    message = N_("The request cannot be understood.")


class CrossSite(ChatsuboError):
    """The request was not made by a page of ours, or without the token that our pages carry."""

    code = "csrf"
    message = N_("This page was open for too long, or the request came from another site. Reload it and try again.")


class WrongHost(ChatsuboError):
    """The request was made to another name than ours."""

    code = "wrong-host"
    message = N_("This server is {url}. To be reached under another name, it needs that in server.url.")


class MethodNotAllowed(ChatsuboError):
    """The address exists, but not for this method."""

    code = "method-not-allowed"
    message = N_("This cannot be done at this address.")


class TooLarge(ChatsuboError):
    """The request's body is larger than allowed here."""

    code = "too-large"
    message = N_("That is too large.")


class WrongMediaType(ChatsuboError):
    """The request's body is not of a kind that is read here."""

    code = "wrong-media-type"
    message = N_("The request's body is not of the kind that is expected here.")


class TooManyStreams(ChatsuboError):
    """The account listens to the live events in too many places at once."""

    code = "too-many-streams"
    message = N_("You have this site open in too many places. Close some of them.")


class Broken(ChatsuboError):
    """A mistake of ours; the log tells about it under the incident's number."""

    code = "broken"
    message = N_("Something broke on our side. Tell an organiser this number: {incident}")
