"""The profiles: which pools, and how much of the paper's protocol. The notebooks are the same for all of them."""

from dataclasses import dataclass
from pathlib import Path

from elsa_nb.errors import MissingDataError, check_known
from elsa_nb.store import DATA, FIGURES, ROOT


@dataclass(frozen=True)
class DataSet:
    """A data set that a profile searches, opened by `elsa_nb.images.sources.by_name`, and the encoders of its pools.

    `encoders` are pairs: the name that tables and pools give an encoder, and the weights that `load_encoder` of
    `elsa_nb.images.encoders.by_name` finds. `projections` names the encoders whose projection is extracted, too.
    `pack` is the file of photographs in ELSA_DATA that holds it, "" where there is none.
    """

    name: str
    encoders: tuple[tuple[str, str], ...]
    projections: tuple[str, ...] = ("vicreg", "barlow-twins")
    pack: str = ""


@dataclass(frozen=True)
class Profile:
    """One profile: the data sets it searches, and where its figures and executed notebooks go.

    `name` and `about` say which it is, `committed` whether its results are part of the repository: the stored searches
    to verify are chosen among those. The first of `datasets` is that of the main tables; `photos` and `paper` have
    Food-101 (Table 11) as well.
    """

    name: str
    datasets: tuple[DataSet, ...]
    about: str
    committed: bool = False

    @property
    def dataset(self) -> str:
        """The name of the data set of the main tables."""
        return self.datasets[0].name

    @property
    def figures(self) -> Path:
        """The folder of its figures and tables: the committed one for `full`, else `build/<profile>/figures`."""
        return FIGURES if self.name == "full" else self.build / "figures"

    @property
    def build(self) -> Path:
        """The folder of its executed notebooks and its report (never committed)."""
        return ROOT / "build" / self.name

    def pool(self, encoder: str, space: str, dataset: str | None = None) -> Path:
        """Return the folder of a pool; `MissingDataError` if nothing has been extracted there."""
        folder = self.pool_folder(encoder, space, dataset)
        if not (folder / "pool.json").exists():
            raise MissingDataError(f"profile {self.name!r} needs the pool {folder}, which is not here. {self.cure}")
        return folder

    def pool_folder(self, encoder: str, space: str, dataset: str | None = None) -> Path:
        """Return the folder where a pool is or will be; `dataset` defaults to that of the main tables."""
        names = [each.name for each in self.datasets]
        if dataset is not None and dataset not in names:
            raise ValueError(f"profile {self.name!r} has no data set {dataset!r}; allowed: {', '.join(names)}")
        return DATA / "pools" / f"{dataset or self.dataset}-{encoder}-{space}"

    @property
    def cure(self) -> str:
        """What makes its pools."""
        minutes = ": a few minutes" if self.dataset == "glyphs" else ""
        option = "" if self.name == "quick" else f" --profile {self.name}"
        return f"Run notebooks/01-embeddings.ipynb, or `elsa-nb embed{option}`{minutes}."


# On glyphs: the two encoders of most tables; the others of Table 5; and what an encoder has to beat.
_TRAINED = (("vicreg", "vicreg"), ("barlow-twins", "barlow-twins"))
_OTHERS = (
    *(("moco", "moco-v1"), ("moco-v2", "moco-v2"), ("obow", "obow"), ("simsiam", "simsiam")),
    *(("swav", "swav"), ("swav-multi-crop", "swav-multicrop")),
)
_OFFICIAL = ("vicreg", "barlow-twins", "moco", "moco-v2", "obow", "simsiam", "swav", "swav-multi-crop")
_PIXELS, _UNTRAINED = ("raw-pixels", "floor:raw-pixels"), ("untrained", "floor:untrained")
_TINY_IMAGENET = DataSet(
    "tiny-imagenet",
    (("vicreg", "photos-vicreg-tiny-imagenet"), ("barlow-twins", "photos-barlow-twins-tiny-imagenet")),
    pack="tiny-imagenet-200-slice250",
)
_SMALL_FOOD = DataSet(
    "food-101-64px",
    (("vicreg", "photos-vicreg-food101"), ("efficientnet-lite0", "efficientnet-lite0@96")),
    pack="food-101-64px-testsplit",
)
_IMAGENET = DataSet("imagenet-1k", tuple((name, f"official:{name}") for name in _OFFICIAL))
_FOOD = DataSet("food-101", (("vicreg", "food-101-vicreg"),))

PROFILES = {
    p.name: p
    for p in (
        Profile(
            "quick",
            (DataSet("glyphs", (*_TRAINED, _PIXELS)),),
            "the bundled pool, few classes and repeats: minutes on two cores",
        ),
        Profile(
            "full",
            (DataSet("glyphs", (*_TRAINED, *_OTHERS, _UNTRAINED, _PIXELS)),),
            "the bundled pool, the paper's protocol: 50 classes, 5 repeats",
            committed=True,
        ),
        Profile(
            "photos",
            (_TINY_IMAGENET, _SMALL_FOOD),
            "natural photographs at low resolution, given by ELSA_DATA",
            committed=True,
        ),
        Profile(
            "paper",
            (_IMAGENET, _FOOD),
            "ImageNet-1k and Food-101 from your own copies and the official encoders, on a GPU",
        ),
    )
}


def profile(name: str) -> Profile:
    """Return the profile called `name`; ValueError for an unknown one."""
    check_known("profile", name, PROFILES)
    return PROFILES[name]
