"""How images become vectors: the settings that all extractions share, checked before anything is loaded or read."""

import difflib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from numbers import Integral
from typing import Any

import numpy as np

from elsa_nb.images.encoders.preprocessing import CropGeometry
from elsa_nb.images.extraction.crops import check_resizer, check_workers
from elsa_nb.images.extraction.forward import device_and_precision
from elsa_nb.pool import DTYPES

BATCH = 512
BATCH_ON_CPU = 256  # what the layers pass on stays in the processor's cache, and the vectors are the same
BATCH_OF_LARGE_ON_CPU = 32  # 224x224 pixels through a ResNet-50: more only takes memory


@dataclass(frozen=True)
class ExtractionSettings:
    """The settings of an extraction. Raises ValueError for one that is not allowed.

    `batch` is the number of images at once (default: `batch_of`). Vectors are computed as `precision` ("float32",
    "float16" or "bfloat16"; default: "float32" on a CPU, "float16" on a GPU), by networks that are `compiled` (default:
    on a GPU only), and stored as `dtype` ("float16" or "float32"). `resizer` is "torch" or "pillow", `workers` is the
    number of processes that decode (0: only this one; default: one per core). With `progress` None only a person sees a
    bar. `device`, "cpu" or "cuda", is not given but found.
    """

    batch: int | None = None
    dtype: str = "float16"
    precision: str | None = None
    compiled: bool | None = None
    resizer: str = "torch"
    workers: int | None = None
    progress: bool | None = None
    device: str = field(init=False)

    def __post_init__(self):
        """Check the settings, and put what the device decides in the place of None."""
        whole = isinstance(self.batch, Integral) and not isinstance(self.batch, bool)
        if self.batch is not None and not (whole and self.batch >= 1):
            raise ValueError(f"batch is {self.batch!r}; give 1 or more.")
        for name in ("compiled", "progress"):
            if not (getattr(self, name) is None or isinstance(getattr(self, name), bool | np.bool_)):
                raise ValueError(f"{name} is {getattr(self, name)!r}; give True or False, or leave it out.")
        check_workers(self.workers)
        if not isinstance(self.dtype, str) or self.dtype not in DTYPES:
            raise ValueError(f"dtype is {self.dtype!r}; a pool holds one of {DTYPES}.")
        check_resizer(self.resizer)
        device, precision = device_and_precision(self.precision)
        compiled = device == "cuda" if self.compiled is None else self.compiled
        for name, value in (("device", device), ("precision", precision), ("compiled", compiled)):
            object.__setattr__(self, name, value)  # the way of a frozen dataclass

    @classmethod
    def of(cls, options: Mapping[str, Any], function: Callable) -> "ExtractionSettings":
        """Return the settings that a function was given as `options`, beside parameters of its own.

        Raises TypeError for an option that neither knows, and names the nearest one.
        """
        settings = [each.name for each in fields(cls) if each.init]
        if strange := [name for name in options if name not in settings]:
            parameters = inspect.signature(function).parameters.values()
            known = [each.name for each in parameters if each.kind is each.KEYWORD_ONLY] + settings
            near = [f"the nearest is {each!r}; " for each in difflib.get_close_matches(strange[0], known, n=1)]
            allowed = f"{''.join(near)}allowed: {', '.join(known)}"
            raise TypeError(f"{function.__name__} has no option {strange[0]!r}; {allowed}")
        return cls(**options)

    def batch_of(self, geometry: CropGeometry | None) -> int:
        """Return the number of images at once, of squares by `geometry` or, for None, as small as the source's."""
        on_cpu = BATCH_ON_CPU if geometry is None else BATCH_OF_LARGE_ON_CPU
        return self.batch or (on_cpu if self.device == "cpu" else BATCH)

    @property
    def computing(self) -> dict[str, Any]:
        """What `forward` takes of the settings, wherever it runs: device, precision, dtype and compiled."""
        return {name: getattr(self, name) for name in ("device", "precision", "dtype", "compiled")}
