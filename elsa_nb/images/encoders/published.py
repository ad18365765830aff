"""The eight published encoders of the paper's Table 5: where their files are, what is inside, and what they promise.

Nothing here was measured by us. `top1` is the linear-probe accuracy that a method's own repository gives for the very
file named; `paper_top1` is what the paper's table prints. Where the two differ, `note` says why.
"""

from dataclasses import dataclass
from pathlib import Path

from elsa_nb import store

_FB = "https://dl.fbaipublicfiles.com"
_OBOW = "https://github.com/valeoai/obow/releases/download/v0.1.0"

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
SWAV_STD = (0.228, 0.224, 0.225)  # a slip in SwAV's code, in pretraining and evaluation alike: its features expect it


@dataclass(frozen=True)
class Layout:
    """How a file holds a ResNet-50 and its projector, once `module.` is taken off the keys.

    `wrapper` is the entry that holds the tensors (None: the file is nothing else), `backbone` and `head` the prefixes
    of the network and the projector (None: there is no projector), `layers` the projector's layers in order. `others`
    are keys, or beginnings of keys up to a dot, that belong to the method but to neither. `renamed` are pairs of key
    beginnings, the file's and torchvision's.
    """

    wrapper: str | None
    backbone: str
    head: str | None = None
    layers: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Official:
    """One published encoder. `layouts` are the forms its files have; the first is that of the file at `url`."""

    name: str
    title: str
    url: str
    licence: str
    layouts: tuple[Layout, ...]
    epochs: int
    batch: int
    top1: float
    paper_top1: float
    note: str = ""
    md5: str = ""  # the beginning of the published MD5, where there is one
    std: tuple[float, float, float] = IMAGENET_STD
    mean: tuple[float, float, float] = IMAGENET_MEAN
    member: str = ""  # inside a zip of several files: the end of the name of the right one

    @property
    def file(self) -> str:
        """The name under which the file is kept: the method's, since three methods call theirs the same."""
        return f"{self.name}{'.zip' if self.url.endswith('.zip') else '.pth'}"

    @property
    def projector(self) -> bool:
        """Whether the file holds a projector, and so a projection."""
        return self.layouts[0].head is not None


_BACKBONE_ONLY = Layout(None, "")
_EXPANDER = ("linear+bias", "bn", "relu", "linear+bias", "bn", "relu", "linear")
_TWINS = ("linear", "bn", "relu", "linear", "bn", "relu", "linear")
_SIMSIAM = ("linear", "bn", "relu", "linear", "bn", "relu", "linear+bias", "bn-without-affine")
_MOCO_V2 = ("linear+bias", "relu", "linear+bias")
_MOCO_OTHERS = ("encoder_k.", "queue", "queue_ptr")
_SWAV_LAYERS = ("linear+bias", "bn", "relu", "linear+bias")
_SWAV = tuple(Layout(w, "", "projection_head.", _SWAV_LAYERS, ("prototypes.weight",)) for w in (None, "state_dict"))
_OBOW_NAMES = (
    ("_feature_blocks.0.Conv.", "conv1."),
    ("_feature_blocks.0.bn.", "bn1."),
    *((f"_feature_blocks.{i}.", f"layer{i}.") for i in range(1, 5)),
)
_OBOW_WHOLE = (
    *("feature_extractor_teacher.", "bow_predictor.", "bow_extractor.", "linear_classifier."),
    *("_alpha", "_iteration"),
)

OFFICIAL = {
    spec.name: spec
    for spec in (
        Official(
            name="vicreg",
            title="VICReg",
            url=f"{_FB}/vicreg/resnet50_fullckpt.pth",
            licence="MIT",
            layouts=(Layout("model", "backbone.", "projector.", _EXPANDER), _BACKBONE_ONLY),
            epochs=1000, batch=2048, top1=73.2, paper_top1=73.2,
        ),
        Official(
            name="barlow-twins",
            title="Barlow Twins",
            url=f"{_FB}/barlowtwins/ljng/checkpoint.pth",
            licence="MIT",
            layouts=(Layout("model", "backbone.", "projector.", _TWINS, ("bn.",)), _BACKBONE_ONLY),
            epochs=1000, batch=2048, top1=73.5, paper_top1=73.2,
            note="the paper's row prints the method's published 73.2; this file reaches 73.5",
        ),
        Official(
            name="moco",
            title="MoCo",
            url=f"{_FB}/moco/moco_checkpoints/moco_v1_200ep/moco_v1_200ep_pretrain.pth.tar",
            licence="MIT (its README still says CC BY-NC 4.0)",
            layouts=(Layout("state_dict", "encoder_q.", "encoder_q.fc.", ("linear+bias",), _MOCO_OTHERS),),
            epochs=200, batch=256, top1=60.6, paper_top1=60.6, md5="b251726a",
        ),
        Official(
            name="moco-v2",
            title="MoCo v2",
            url=f"{_FB}/moco/moco_checkpoints/moco_v2_800ep/moco_v2_800ep_pretrain.pth.tar",
            licence="MIT (its README still says CC BY-NC 4.0)",
            layouts=(Layout("state_dict", "encoder_q.", "encoder_q.fc.", _MOCO_V2, _MOCO_OTHERS),),
            epochs=800, batch=256, top1=71.1, paper_top1=71.1, md5="a04e12f8",
        ),
        Official(
            name="obow",
            title="OBoW",
            url=f"{_OBOW}/ImageNetFull_ResNet50_OBoW_full_feature_extractor.zip",
            licence="Apache-2.0 (its README says MIT)",
            layouts=(
                Layout("network", "", others=("fc.weight", "fc.bias")),
                Layout("network", "feature_extractor.", others=_OBOW_WHOLE, renamed=_OBOW_NAMES),
                Layout("network", "", renamed=_OBOW_NAMES),
            ),
            epochs=200, batch=256, top1=73.8, paper_top1=73.8, member="feature_extractor_net_checkpoint_200.pth.tar",
            note="the method has no projector: embeddings only",
        ),
        Official(
            name="simsiam",
            title="SimSiam",
            url=f"{_FB}/simsiam/models/100ep-256bs/pretrain/checkpoint_0099.pth.tar",
            licence="CC BY-NC 4.0: not for commercial use",
            layouts=(Layout("state_dict", "encoder.", "encoder.fc.", _SIMSIAM, ("predictor.",)),),
            epochs=100, batch=256, top1=68.3, paper_top1=71.3,
            note="the paper's row says 71.3, the method's 800-epoch model, whose weights were never released; "
            "this is the best one that its README links (a 200-epoch model of 69.8 is linked in an issue only)",
        ),
        Official(
            name="swav",
            title="SwAV",
            url=f"{_FB}/deepcluster/swav_400ep_2x224_pretrain.pth.tar",
            licence="CC BY-NC 4.0: not for commercial use",
            layouts=_SWAV,
            epochs=400, batch=4096, top1=70.1, paper_top1=71.8, std=SWAV_STD,
            note="the paper's row says 71.8, a figure from the literature; the only released model without multi-crop "
            "reaches 70.1",
        ),
        Official(
            name="swav-multi-crop",
            title="SwAV (multi-crop)",
            url=f"{_FB}/deepcluster/swav_800ep_pretrain.pth.tar",
            licence="CC BY-NC 4.0: not for commercial use",
            layouts=_SWAV,
            epochs=800, batch=4096, top1=75.3, paper_top1=75.3, std=SWAV_STD,
        ),
    )
}  # fmt: skip


def official(name: str) -> Official:
    """Return the published encoder called `name`; ValueError for an unknown one."""
    if not isinstance(name, str) or name not in OFFICIAL:
        raise ValueError(f"encoder {name!r} is not one of the published ones: {', '.join(OFFICIAL)}.")
    return OFFICIAL[name]


def checkpoint_path(spec: Official) -> Path:
    """Return where the file of a published encoder is kept: `data/checkpoints`."""
    return store.DATA / "checkpoints" / spec.file


def describe(spec: Official) -> str:
    """Return an encoder's title, source and licence, and what to know about it, in one or two sentences."""
    note = f" Note: {spec.note}." if spec.note else ""
    return f"{spec.title} from {spec.url} (licence: {spec.licence}).{note}"
