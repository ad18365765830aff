"""What a profile needs that is not here: one sentence each, found in a moment and before anything is computed.

`elsa-nb reproduce` and `embed.embed_profile` call `require`.
"""

from elsa_nb import store
from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images.encoders.names import FALLBACK, FALLBACK_LACKS, LAST_LAYER, fallback_is_installed
from elsa_nb.images.encoders.published import checkpoint_path, describe, official
from elsa_nb.images.sources.locations import food101_folder, imagenet_folder, pack_path
from elsa_nb.profiles import DataSet, Profile


def missing(profile: Profile) -> list[str]:
    """Return a sentence for every data set and every file of weights that `profile` needs and that is not here.

    Weights are asked for only where their pools are not finished; images always, since labels come with them.
    """
    sentences = []
    for dataset in profile.datasets:
        try:
            _find_images(dataset)
        except (MissingDataError, CorruptFileError) as error:
            sentences.append(str(error))
        for encoder, weights in dataset.encoders:
            spaces = ("embedding", "projection") if encoder in dataset.projections else ("embedding",)
            folders = [profile.pool_folder(encoder, space, dataset.name) for space in spaces]
            if not all((folder / "pool.json").exists() for folder in folders):
                sentences += _missing_weights(encoder, weights, dataset)
    return sentences


def require(profile: Profile) -> None:
    """Raise MissingDataError with all that `missing` finds, one per line; return if nothing is missing."""
    if sentences := missing(profile):
        lines = "\n".join(f"  {i}. {sentence}" for i, sentence in enumerate(sentences, 1))
        what = "1 thing is" if len(sentences) == 1 else f"{len(sentences)} things are"
        raise MissingDataError(f"profile {profile.name!r} cannot run, {what} missing:\n{lines}")


def _find_images(dataset: DataSet) -> None:
    if dataset.pack:
        pack_path(dataset.pack)
    elif dataset.name == "imagenet-1k":
        imagenet_folder()
    elif dataset.name == "food-101":
        food101_folder()


def _missing_weights(encoder: str, weights: str, dataset: DataSet) -> list[str]:
    kind, _, name = weights.rpartition(":")
    if kind == "floor":  # made, not loaded
        return []
    if weights.partition("@")[0] in (LAST_LAYER, FALLBACK):
        return [] if fallback_is_installed() else [FALLBACK_LACKS]
    if kind == "official":
        spec = official(name)
        path = checkpoint_path(spec)
        if path.is_file():
            return []
        return [f"{path} is not here: `elsa-nb encoders get {name}` downloads {describe(spec)}"]
    path = store.locate(f"weights/{weights}.safetensors")
    if dataset.name == "glyphs":
        return [] if path.is_file() else [f"{path} is not here: {store.RESTORED} brings it back."]
    own = store.locate(f"checkpoints/{weights}.pth")
    if path.is_file() or (not dataset.pack and own.is_file()):
        return []
    if dataset.pack:
        return [f"{path} is not here: `elsa-nb train --method {encoder} --data {dataset.name} --out {path}` trains it."]
    return [
        f"{path} is not here: `elsa-nb train --method {encoder} --data {dataset.name} --official` trains it (a day on "
        f"one large GPU); or put one trained with VICReg's official code at {own}."
    ]
