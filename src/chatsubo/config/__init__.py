"""The configuration file and the environment, read into frozen, checked models."""
