"""The published encoders as networks: every key of a file is accounted for, then loaded, or the file is refused.

`by_name.load_encoder` calls `load_pretrained`. `published.py` describes the files, `resnet50.py` the networks.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from elsa_nb.errors import CorruptFileError, MissingDataError
from elsa_nb.images.encoders.checkpoints import read_checkpoint
from elsa_nb.images.encoders.preprocessing import IMAGENET_GEOMETRY, normalise
from elsa_nb.images.encoders.published import Layout, Official, checkpoint_path, official
from elsa_nb.images.encoders.resnet50 import ResNet50, projection_head
from elsa_nb.store import read_card, reading, sha256_file


class Pretrained(nn.Module):
    """A published ResNet-50 with its projector: images to embedding and projection in one forward pass.

    `dimensions` names its spaces and their sizes, in the order in which `forward` returns them; a method without a
    projector, or a file without one, has the embedding alone. Projections are the projector's raw output, as in the
    paper's distance: what a method does to them in its loss (normalising, Barlow Twins' last `bn`) is not part of them.
    """

    geometry = IMAGENET_GEOMETRY

    def __init__(self, spec: Official, backbone: ResNet50, projector: nn.Module | None, sha256: str = ""):
        """Join a network and a projector; `sha256` is that of the file they came from."""
        super().__init__()
        self.spec, self.name, self.sha256 = spec, spec.name, sha256
        self.backbone, self.projector = backbone, projector

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Map normalised images (m, 3, h, w) to (embedding (m, p), projection (m, q)), float32 outside autocast."""
        embedding = self.backbone(images)
        return (embedding,) if self.projector is None else (embedding, self.projector(embedding))

    def prepare(self, images: Tensor) -> Tensor:
        """Turn uint8 images (m, 3, h, w) into what `forward` takes: this method's own mean and deviation."""
        return normalise(images, self.spec.mean, self.spec.std)

    @property
    def dimensions(self) -> dict[str, int]:
        """The dimension of each space."""
        sizes = {"embedding": self.backbone.dimension}
        if self.projector is not None:
            linear = [module for module in self.projector.modules() if isinstance(module, nn.Linear)]
            sizes["projection"] = linear[-1].out_features
        return sizes


def load_pretrained(name: str, path: Path | str | None = None) -> Pretrained:
    """Load the published encoder `name` from `path` (default: where `elsa-nb encoders get` puts it), ready to use.

    The user's own `path` may hold a retraining in the same format: only a file in the default place must have the
    published checksum.
    Raises ValueError for an unknown name, MissingDataError without the file, and CorruptFileError for a file that is
    not exactly this method's: a wrong checksum, a missing, surplus or mis-shaped key, a value that is not a number.
    """
    spec = official(name)
    own_file = path is not None
    path = Path(path) if own_file else checkpoint_path(spec)
    if not path.is_file():
        raise MissingDataError(
            f"The weights of {spec.title} are not here: {path} is missing. `elsa-nb encoders get {name}` downloads "
            f"them from {spec.url} (licence: {spec.licence})."
        )
    sha256 = check_file(spec, path, published=not own_file)
    with reading(path, f"a checkpoint of {spec.title}", _cure(spec)):
        layout, tensors = find_layout(spec, read_checkpoint(path, spec.member), path)
        return assemble(spec, layout, tensors, path, sha256)


def check_file(spec: Official, path: Path, published: bool = True) -> str:
    """Return the SHA-256 of a file, compared with the card of its download, or else with the published checksum.

    `published` False leaves out the latter: for the user's own file in the same format. Raises CorruptFileError.
    """
    sha256, card = sha256_file(path), path.with_name(path.name + ".json")
    if card.exists():
        if read_card(card, "a card of a download", _cure(spec)).get("sha256") != sha256:
            raise CorruptFileError(f"{path} has another checksum than its card {card.name} says. {_cure(spec)}")
    elif spec.md5 and published:
        with path.open("rb") as stream:
            md5 = hashlib.file_digest(stream, "md5").hexdigest()
        if not md5.startswith(spec.md5):
            raise CorruptFileError(
                f"{path} is not the published file of {spec.title}: its MD5 is {md5}, published: {spec.md5}... "
                f"{_cure(spec)}"
            )
    return sha256


def find_layout(spec: Official, loaded: Any, path: Path) -> tuple[Layout, dict[str, Tensor]]:
    """Return the layout that a file has and its tensors by key, without `module.`."""
    sought = []
    for layout in spec.layouts:
        state = loaded.get(layout.wrapper) if layout.wrapper and isinstance(loaded, Mapping) else loaded
        first = next((old + "weight" for old, new in layout.renamed if new == "conv1."), "conv1.weight")
        sought.append(f"{layout.wrapper + ': ' if layout.wrapper else ''}{layout.backbone}{first}")
        if isinstance(state, Mapping):
            state = _without_module(state, path, spec)
            if f"{layout.backbone}{first}" in state:
                return layout, _tensors(state, path, spec)
    held = list(map(str, loaded))[:5] if isinstance(loaded, Mapping) else type(loaded).__name__
    raise CorruptFileError(
        f"{path} is not a checkpoint of {spec.title}: it holds {held}, and neither {' nor '.join(sought)}. "
        f"{_cure(spec)}"
    )


def assemble(spec: Official, layout: Layout, tensors: Mapping[str, Tensor], path: Path, sha256: str = "") -> Pretrained:
    """Make the network that `tensors` describe and put them into it; CorruptFileError unless they fit exactly."""
    backbone, projector, nobodys = {}, {}, []
    for key, value in tensors.items():
        if layout.head and key.startswith(layout.head):
            projector[key.removeprefix(layout.head)] = value
        elif any(key == other or (other.endswith(".") and key.startswith(other)) for other in layout.others):
            continue
        elif (
            key.startswith(layout.backbone)
            and (name := _renamed(key.removeprefix(layout.backbone), layout)) not in backbone
        ):
            backbone[name] = value
        else:
            nobodys.append(key)
    first = backbone["conv1.weight"]
    with torch.device("meta"):
        network = ResNet50(max(first.shape[0], 1) if first.ndim == 4 else 64)
        expander = _head_for(layout, projector, path, spec) if layout.head else None
    problems = _problems("backbone", network, backbone)
    if expander is not None:
        problems += _problems("projector", expander, projector)
    if nobodys:
        problems.append(f"keys that belong to no part: {_listed(nobodys)}")
    if problems:
        raise CorruptFileError(f"{path} does not fit {spec.title}: {'; '.join(problems)}. {_cure(spec)}")
    for module, values in ((network, backbone), (expander, projector)):
        if module is not None:
            module.load_state_dict({key: value.clone() for key, value in values.items()}, strict=True, assign=True)
    return Pretrained(spec, network, expander, sha256).eval().requires_grad_(False)


def _without_module(state: Mapping[str, Any], path: Path, spec: Official) -> dict[str, Any]:
    wrapped = [key for key in state if str(key).startswith("module.")]
    if wrapped and len(wrapped) != len(state):
        bare = [key for key in state if key not in set(wrapped)]
        raise CorruptFileError(
            f"{path} mixes keys with and without `module.`: {_listed(bare)} are without. {_cure(spec)}"
        )
    return {str(key).removeprefix("module."): value for key, value in state.items()}


def _tensors(state: Mapping[str, Any], path: Path, spec: Official) -> dict[str, Tensor]:
    if strange := [key for key, value in state.items() if not isinstance(value, Tensor)]:
        raise CorruptFileError(f"{path} holds no tensor under {_listed(strange)}. {_cure(spec)}")
    return dict(state)


def _renamed(key: str, layout: Layout) -> str:
    for old, new in layout.renamed:
        if key.startswith(old):
            return new + key.removeprefix(old)
    return key


def _head_for(layout: Layout, tensors: Mapping[str, Tensor], path: Path, spec: Official) -> nn.Module:
    sizes = {}
    for index, layer in enumerate(layout.layers):
        if layer.startswith("linear"):
            key = "weight" if len(layout.layers) == 1 else f"{index}.weight"
            if key not in tensors or tensors[key].ndim != 2:
                what = "lacks" if key not in tensors else f"has {tuple(tensors[key].shape)} for"
                raise CorruptFileError(f"{path} {what} the projector's {layout.head}{key}. {_cure(spec)}")
            sizes[index] = tuple(tensors[key].shape)
    try:
        return projection_head(layout.layers, sizes)
    except ValueError as error:
        raise CorruptFileError(f"{path} holds a projector that does not fit together: {error}. {_cure(spec)}") from None


def _problems(part: str, module: nn.Module, tensors: Mapping[str, Tensor]) -> list[str]:
    expected = module.state_dict()
    missing, surplus = [k for k in expected if k not in tensors], [k for k in tensors if k not in expected]
    both = [k for k in expected if k in tensors]
    shapes = [
        f"{k} is {tuple(tensors[k].shape)}, not {tuple(expected[k].shape)}"
        for k in both
        if tensors[k].shape != expected[k].shape
    ]
    types = [f"{k} is {tensors[k].dtype}" for k in both if tensors[k].dtype != expected[k].dtype]
    infinite = [k for k in both if not torch.isfinite(tensors[k]).all()]
    return [
        f"{part}: {what} {_listed(keys)}"
        for what, keys in (
            ("missing keys", missing),
            ("unexpected keys", surplus),
            ("other shapes", shapes),
            ("other types", types),
            ("values that are not finite in", infinite),
        )
        if keys
    ]


def _listed(keys: list[Any], most: int = 400) -> str:
    return ", ".join(map(str, keys[:most])) + (f" and {len(keys) - most} more" if len(keys) > most else "")


def _cure(spec: Official) -> str:
    return f"The published file is {spec.url}; `elsa-nb encoders get {spec.name}` downloads it."
