"""The YAML file and the environment, as frozen and validated models."""

from chatsubo.config.errors import ConfigError, InvalidValue, Problem
from chatsubo.config.loader import load, load_model, locate_plugins
from chatsubo.config.models import (
    Config,
    Database,
    DisabledEntry,
    Endpoints,
    Gate,
    Logging,
    ProviderConfig,
    ProviderEntry,
    Server,
)
from chatsubo.config.raw import RawConfig
from chatsubo.config.secrets import Secret
from chatsubo.config.values import ByteSize, ExistingFile, Host, Name, Port, checked, http_url, network

__all__ = [
    "ByteSize",
    "Config",
    "ConfigError",
    "Database",
    "DisabledEntry",
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
    "RawConfig",
    "Secret",
    "Server",
    "checked",
    "http_url",
    "load",
    "load_model",
    "locate_plugins",
    "network",
]
