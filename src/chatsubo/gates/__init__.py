"""The platform's side of realms: the client of VPN gates."""
