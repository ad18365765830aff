"""The rivals of sweeps that are not a registered strategy as it is, and what the greedy probe is called in tables.

A sweep names a registered strategy, which searches the vectors as they are with its default configuration, or one of
`PREPARED_RIVALS`, which searches vectors brought to length 1 with a configuration that suits them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from elsa_nb.search.contract import RegisteredStrategy
from elsa_nb.search.heads.head import HeadConfig
from elsa_nb.search.strategies.greedy_probe import FIRM, GreedyProbe, ProbeConfig

PREPARED, RAW = "Greedy probe, prepared", "Greedy probe, raw vectors"
ARM_TITLES = {GreedyProbe.name: RAW}  # of stored searches: a table that has both must tell them apart


class PreparedRival(NamedTuple):
    """A strategy with the configuration it has on vectors of length 1."""

    kind: type[RegisteredStrategy]
    config: Any


PREPARED_RIVALS: Mapping[str, PreparedRival] = MappingProxyType(
    {PREPARED: PreparedRival(GreedyProbe, ProbeConfig(head=HeadConfig(l2=FIRM)))}
)
