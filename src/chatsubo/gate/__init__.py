"""The gate's own program: it keeps a VPN server, and lets each player reach what the platform says, nothing else."""
