"""What a stored search is valid for: the versions of behaviour, its configuration, its seed, its pools and the device.

`runner` keys every stored row and every row that a sweep wants by `key`, and computes only what is wanted and not
there: a strategy whose number was raised makes its own rows stale and no others, a sweep that gains an arm computes the
new arm. The text of modules counts for nothing here; `verification` proves that the numbers tell the truth.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import pandas as pd

from elsa_nb.paper.runs.grid import Setting, strategy_of
from elsa_nb.paper.runs.place import Place
from elsa_nb.prepared import device
from elsa_nb.search.heads.head import HeadConfig
from elsa_nb.search.strategies.registry import strategies, strategy
from elsa_nb.search.version import SEARCH

CODE = ("elsa_nb.search", "elsa_nb.paper", "elsa_nb.pool")  # named, for information, in every result
FIELDS = tuple(Setting.__dataclass_fields__)


def provenance(places: Iterable[Place]) -> dict[str, Any]:
    """Return what results are valid for, beside configuration and seed, given the `places` they are searched in."""
    read = [each for place in places for each in (place, place.in_embedding)]  # which the released code's head sees
    return versions({place.pool_name: place.recipe for place in read})


def versions(pools: Mapping[str, str]) -> dict[str, Any]:
    """Return the versions of behaviour that searches have now, with the recipes of `pools` by their names."""
    return {
        "search": SEARCH,
        "strategies": {name: kind.version for name, kind in strategies().items()},
        "pools": dict(sorted(pools.items())),
        "device": device(),
    }


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return in what two provenances differ, in words of their entries; pools and strategies that both name."""
    changed = [what for what in ("search", "device") if before[what] != now[what]]
    for what in ("pools", "strategies"):
        both = before[what].keys() & now[what].keys()
        if any(before[what][name] != now[what][name] for name in both):
            changed.append(what)
    return sorted(changed)


def key(setting: Setting, dataset: str, source: Mapping[str, Any]) -> str:
    """Return what the search of `setting` in `dataset` depends on, as text, when made under the `provenance` source."""
    return _key({**vars(setting), "dataset": dataset}, _as_text(setting.config), source)


def stored_keys(rows: pd.DataFrame, source: Mapping[str, Any]) -> list[str | None]:
    """Return the key of each stored row of results made under `source`; None for a configuration no longer known."""
    keys = []
    for values in rows[[*FIELDS, "config"]].to_dict("records"):
        config = values.pop("config")
        try:
            keys.append(_key(values, _read_as_text(strategy_of(values["arm"]).name, config), source))
        except TypeError:  # a field that the strategy's configuration does not have any more
            keys.append(None)
    return keys


@lru_cache(maxsize=4096)
def config_of(strategy_name: str, text: str) -> Any:
    """Return the configuration that a stored row tells as JSON; fields it does not know yet have their defaults.

    Raises TypeError for a field that the configuration does not have any more.
    """
    values = json.loads(text)
    values |= {name: HeadConfig(**value) for name, value in values.items() if isinstance(value, dict)}
    values |= {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    return strategy(strategy_name).config_class(**values)


@lru_cache(maxsize=4096)
def _read_as_text(strategy_name: str, text: str) -> str:
    return _as_text(config_of(strategy_name, text))


@lru_cache(maxsize=4096)
def _as_text(config: Any) -> str:
    return json.dumps(asdict(config), sort_keys=True)


def _key(values: Mapping[str, Any], config: str, source: Mapping[str, Any]) -> str:
    name = strategy_of(values["arm"]).name
    spaces = {f"{values['dataset']}-{values['encoder']}-{space}" for space in (values["space"], "embedding")}
    pools = {space: source["pools"][space] for space in sorted(spaces & source["pools"].keys())}
    versions = source["search"], source["strategies"].get(name)
    setting = [values[name] for name in FIELDS]
    return json.dumps([setting, config, pools, versions, source["device"]], sort_keys=True, default=_plain)


def _plain(value: Any) -> Any:
    """Return a NumPy scalar as the Python number it is."""
    return value.item()
