"""Where searches take place: in one encoder's vectors of a data set, in one of its spaces.

The name of a profile, and the "" that stands for its main data set, become a `Place` once, where a run begins; whatever
runs searches there is handed the place. It is four words, so it goes to other processes and machines, and each of them
opens its own copy of the pool, once.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import pandas as pd

from elsa_nb.errors import MissingDataError
from elsa_nb.images.sources.by_name import open_dataset
from elsa_nb.paper.runs import generated
from elsa_nb.pool import Pool
from elsa_nb.pool_files import recipe_at
from elsa_nb.prepared import Prepared, prepare
from elsa_nb.profiles import profile
from elsa_nb.search.heads.features import Features
from elsa_nb.search.neighbours.bounds import Sketch


@dataclass(frozen=True)
class Place:
    """The vectors of the images of `dataset` that `encoder` gives in `space`, in the pools of `profile_name`."""

    profile_name: str
    dataset: str
    encoder: str
    space: str

    @classmethod
    def of(cls, profile_name: str, encoder: str, space: str, dataset: str = "") -> "Place":
        """Return the place of a profile; ValueError for an unknown one. `dataset` "" is that of its main tables."""
        return cls(profile_name, dataset or profile(profile_name).dataset, encoder, space)

    @property
    def folder(self) -> Path:
        """The folder of its pool; `MissingDataError` if nothing has been extracted there."""
        if self._generated is not None:
            return generated.pool_of(self.dataset, self.encoder)
        return profile(self.profile_name).pool(self.encoder, self.space, self.dataset)

    @property
    def pool_name(self) -> str:
        """The name of its pool, whether it is here or not."""
        if (made := self._generated) is not None:
            return made.folder(self.encoder).name
        return profile(self.profile_name).pool_folder(self.encoder, self.space, self.dataset).name

    @property
    def recipe(self) -> str:
        """The recipe of its pool, or of the one that would be made: stored results are valid for it without vectors.

        Raises MissingDataError where the pool is not here, and the images or weights that it is made from are not;
        ValueError for an encoder that the profile does not have.
        """
        try:
            return recipe_at(self.folder)
        except MissingDataError as missing:
            if (made := self._generated) is not None:
                return made.recipe(made.blend(self.encoder))
            # Only where a pool is missing: it loads encoders, and so torch.
            from elsa_nb.images.extraction.expected import expected_recipe

            try:
                return expected_recipe(self.profile_name, self.encoder, self.space, self.dataset)
            except MissingDataError as lacking:
                raise missing from lacking

    @property
    def _generated(self) -> generated.Generated | None:
        return generated.GENERATED_SETS.get(self.dataset)

    @property
    def in_embedding(self) -> "Place":
        """The same images in the encoder's embedding, which the head of the released code sees."""
        return replace(self, space="embedding")

    @property
    def class_names(self) -> pd.Series:
        """The class name of every image (n,)."""
        return class_names(self.dataset)

    def check_here(self) -> None:
        """Raise MissingDataError, with the cure, where its pool or its data set is not here."""
        _ = self.folder  # which is looked for
        class_names(self.dataset)

    def prepared(self, *, build: bool = True) -> Prepared:
        """Return its pool with neighbour lists and features, opened once per process; `runner` has verified it before.

        Lists that are not there yet are made first, or, without `build`, done without.
        """
        return _prepared(self, build)

    def features(self) -> Features:
        """Return the features of its vectors alone, opened once per process."""
        return _features(self)


@lru_cache(maxsize=2)
def class_names(dataset: str) -> pd.Series:
    """Return the class name of every row of a data set's pools."""
    if dataset in generated.GENERATED_SETS:
        return generated.GENERATED_SETS[dataset].class_names
    return open_dataset(dataset).labels["name"]


@lru_cache(maxsize=4)
def _prepared(place: Place, build: bool) -> Prepared:
    ready = prepare(place.folder, verify=False, build=build)
    if isinstance(ready.neighbours, Sketch):
        ready.neighbours.keep_lists()
    return ready


@lru_cache(maxsize=4)
def _features(place: Place) -> Features:
    return Features(Pool.open(place.folder, verify=False).vectors)
