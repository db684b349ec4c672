"""The YAML file and the environment, as frozen and validated models."""

from chatsubo.config.errors import ConfigError, InvalidValue, Problem
from chatsubo.config.loader import load
from chatsubo.config.models import (
    Config,
    Database,
    Endpoints,
    Gate,
    Logging,
    ProviderConfig,
    ProviderEntry,
    Server,
)
from chatsubo.config.secrets import Secret
from chatsubo.config.values import ByteSize, ExistingFile, Host, Name, Port, checked, http_url, network

__all__ = [
    "ByteSize",
    "Config",
    "ConfigError",
    "Database",
    "Endpoints",
    "ExistingFile",
    "Gate",
    "Host",
    "InvalidValue",
    "Logging",
    "Name",
    "Port",
    "Problem",
    "ProviderConfig",
    "ProviderEntry",
    "Secret",
    "Server",
    "checked",
    "http_url",
    "load",
    "network",
]
