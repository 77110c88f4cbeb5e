"""Settings of the pool, read from a JSON file."""

import json
from dataclasses import dataclass

DEFAULTS = {
    "database": "pool.db",
    "out_dir": "payouts",
    "pool_fee": 1.0,
    "pplns_factor": 2,
    "max_shares": 2000,
}


class ConfigError(Exception):
    """The config file cannot be used."""


@dataclass(frozen=True)
class Config:
    database: str
    out_dir: str
    fee_percent: float
    pplns_factor: float
    max_shares: int


def load_config(path):
    """Read the config file; what it does not say is taken from DEFAULTS."""
    try:
        with open(path, encoding="utf-8") as file:
            settings = {**DEFAULTS, **json.load(file)}
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{path}: {error}") from error

    config = Config(
        database=settings["database"],
        out_dir=settings["out_dir"],
        fee_percent=settings["pool_fee"],
        pplns_factor=settings["pplns_factor"],
        max_shares=settings["max_shares"],
    )
    if not 0 <= config.fee_percent < 100:
        raise ConfigError(f"{path}: a fee of {config.fee_percent} % makes no sense")
    if config.pplns_factor <= 0:
        raise ConfigError(f"{path}: pplns_factor must be above 0")
    if config.max_shares < 1:
        raise ConfigError(f"{path}: max_shares must be at least 1")
    return config
