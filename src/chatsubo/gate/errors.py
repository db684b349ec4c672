"""What can go wrong in a gate."""


class GateFault(Exception):
    """Something does not work; the text says what, where, and what to do. It holds no secret."""


class TunnelError(GateFault):
    """The VPN server or its interface is not as it should be."""


class FirewallError(GateFault):
    """The kernel does not take the rules."""


class SubnetTaken(GateFault):
    """The players' addresses are others' on this host's own networks, which the rules would cut off."""


class StateError(GateFault):
    """What the gate remembers cannot be read or written."""


class RealmFull(GateFault):
    """The subnet has no place left."""


class UnknownPeer(GateFault):
    """Nobody of that name has an access."""


class NameTaken(GateFault):
    """Somebody else is called so."""


class PictureOutdated(GateFault):
    """A picture of who may reach what is older than the one that holds.

    Attributes:
        version: Of the one that holds.
    """

    def __init__(self, version: int) -> None:
        super().__init__(f"the picture of version {version} holds, which is newer")
        self.version = version
