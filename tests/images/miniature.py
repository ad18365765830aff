"""The published files in small: the same wrappers, keys, types and formats, a network a sixteenth as wide.

Keys come from torchvision's ResNet-50 and from what is known of the files, never from the code under test.
"""

import functools
import hashlib
import io
import json
import sys
import types
import zipfile

import torch
import torchvision

DIVISOR = 16
HEADS = {  # sizes of the projector: (key, outputs, inputs, bias) of linear layers, (key, size, affine) of the others
    "vicreg": (("0", 24, 128, True), ("1", 24, True), ("3", 24, 24, True), ("4", 24, True), ("6", 20, 24, False)),
    "barlow-twins": (
        ("0", 24, 128, False),
        ("1", 24, True),
        ("3", 24, 24, False),
        ("4", 24, True),
        ("6", 20, 24, False),
    ),
    "moco": (("", 12, 128, True),),
    "moco-v2": (("0", 128, 128, True), ("2", 12, 128, True)),
    "simsiam": (
        *(("0", 24, 128, False), ("1", 24, True), ("3", 24, 24, False), ("4", 24, True)),
        *(("6", 20, 24, True), ("7", 20, False)),
    ),
    "swav": (("0", 24, 128, True), ("1", 24, True), ("3", 12, 24, True)),
    "swav-multi-crop": (("0", 24, 128, True), ("1", 24, True), ("3", 12, 24, True)),
    "obow": (),
}
NAMES = tuple(HEADS)


def random_tensor(shape, key, generator):
    if key.endswith("num_batches_tracked"):
        return torch.tensor(int(torch.randint(1, 10**6, (), generator=generator)))
    if key.endswith("running_var"):
        return torch.rand(shape, generator=generator) + 0.5
    scale = max(1, torch.Size(shape[1:]).numel()) ** -0.5
    return torch.randn(shape, generator=generator) * scale + (0.2 if len(shape) == 1 else 0)


@functools.cache
def backbone(seed=0, divisor=DIVISOR):
    """Make the 318 entries of torchvision's ResNet-50 without `fc`, its channels divided."""
    generator = torch.Generator().manual_seed(seed)
    with torch.device("meta"):
        shapes = {k: v.shape for k, v in torchvision.models.resnet50().state_dict().items() if not k.startswith("fc.")}
    small = {k: [d // divisor if i < 2 and d > 3 else d for i, d in enumerate(s)] for k, s in shapes.items()}
    return {key: random_tensor(torch.Size(shape), key, generator) for key, shape in small.items()}


def head(name, seed=1):
    """Make the projector's entries, without prefix."""
    generator, tensors = torch.Generator().manual_seed(seed), {}
    for key, *told in HEADS[name]:
        dot = f"{key}." if key else ""
        if len(told) == 3:
            outputs, inputs, bias = told
            tensors[f"{dot}weight"] = random_tensor((outputs, inputs), "weight", generator)
            if bias:
                tensors[f"{dot}bias"] = random_tensor((outputs,), "bias", generator)
            continue
        tensors |= {f"{dot}{k}": v for k, v in norm(*told, generator).items()}
    return tensors


def norm(size, affine, generator):
    keys = (["weight", "bias"] if affine else []) + ["running_mean", "running_var"]
    tensors = {key: random_tensor((size,), key, generator) for key in keys}
    return tensors | {"num_batches_tracked": random_tensor((), "num_batches_tracked", generator)}


def prefixed(prefix, tensors):
    return {f"{prefix}{key}": value for key, value in tensors.items()}


def entries(name, body, projector):
    """All entries of a method's file, without `module.`: what belongs to neither part included."""
    generator = torch.Generator().manual_seed(2)
    if name == "vicreg":
        return prefixed("backbone.", body) | prefixed("projector.", projector)
    if name == "barlow-twins":
        last = norm(20, False, generator)
        return prefixed("backbone.", body) | prefixed("projector.", projector) | prefixed("bn.", last)
    if name in ("moco", "moco-v2"):
        queue = {"queue": torch.randn(12, 40, generator=generator), "queue_ptr": torch.zeros(1, dtype=torch.long)}
        whole = body | prefixed("fc.", projector)
        keys = {key: value + 1 for key, value in whole.items()}
        return prefixed("encoder_q.", whole) | prefixed("encoder_k.", keys) | queue
    if name == "simsiam":
        predictor = {"0.weight": torch.randn(8, 20), **prefixed("1.", norm(8, True, generator))}
        predictor |= {"3.weight": torch.randn(20, 8), "3.bias": torch.randn(20)}
        return prefixed("encoder.", body | prefixed("fc.", projector)) | prefixed("predictor.", predictor)
    if name in ("swav", "swav-multi-crop"):
        return body | prefixed("projection_head.", projector) | {"prototypes.weight": torch.randn(30, 12)}
    if name == "obow":
        return body | {"fc.weight": torch.randn(40, 128), "fc.bias": torch.zeros(40)}
    raise ValueError(name)


def lars_state(tensors):
    """Make the state of VICReg's optimiser, with the function of its training script in it."""

    def exclude_bias_and_norm(p):
        return p.ndim == 1

    exclude_bias_and_norm.__module__, exclude_bias_and_norm.__qualname__ = "__main__", "exclude_bias_and_norm"
    momenta = {i: {"mu": torch.ones(3)} for i in range(len(tensors) // 50)}
    group = {"lr": 0.2, "weight_decay_filter": exclude_bias_and_norm, "lars_adaptation_filter": exclude_bias_and_norm}
    return {"state": momenta, "param_groups": [{**group, "params": list(momenta)}]}, exclude_bias_and_norm


def checkpoint(name, *, body=None, projector=None, optimizer=True, module=True):
    """Make what a method's training script saves; and the function to be found in `__main__` while saving."""
    body = backbone() if body is None else body
    tensors = entries(name, body, head(name) if projector is None else projector)
    if module:
        tensors = prefixed("module.", tensors)
    if name in ("vicreg", "barlow-twins"):
        if not optimizer:
            return {"model": tensors}, None
        state, function = lars_state(tensors)
        return {"epoch": 1000, "model": tensors, "optimizer": state}, function
    if name == "obow":
        return ({"epoch": 200, "network": tensors, "meters": None} if optimizer else {"network": tensors}), None
    sgd = {"state": {0: {"momentum_buffer": torch.ones(4)}}, "param_groups": [{"lr": 0.03, "params": [0]}]}
    if name.startswith("swav"):
        return ({"epoch": 400, "state_dict": tensors, "optimizer": sgd} if optimizer else tensors), None
    if optimizer:
        return {"epoch": 200, "arch": "resnet50", "state_dict": tensors, "optimizer": sgd}, None
    return {"state_dict": tensors}, None


def serialised(thing, function=None, *, legacy=False):
    """Give the bytes of a checkpoint in PyTorch's present or old format."""
    stream, main = io.BytesIO(), sys.modules["__main__"]
    had = getattr(main, "exclude_bias_and_norm", None)
    if function is not None:
        main.exclude_bias_and_norm = function
    try:
        torch.save(thing, stream, _use_new_zipfile_serialization=not legacy)
    finally:
        if function is not None:
            if isinstance(had, types.FunctionType):
                main.exclude_bias_and_norm = had
            else:
                del main.exclude_bias_and_norm
    return stream.getvalue()


def zipped(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return stream.getvalue()


OBOW_MEMBER = "ImageNetFull_ResNet50_OBoW_full_feature_extractor/tochvision_resnet50_student_K8192_epoch200.pth.tar"


def published(name, *, legacy=False, **options):
    """Give the bytes of a method's file as it is published: OBoW's inside a zip archive."""
    data = serialised(*checkpoint(name, **options), legacy=legacy)
    return zipped(**{OBOW_MEMBER: data}) if name == "obow" else data


def put_checkpoints(folder):
    """Put synthetic files, with the cards of downloads, where the profile `paper` looks for the published ones."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*NAMES, "food-101-vicreg"):
        data = published("vicreg" if name == "food-101-vicreg" else name)
        path = folder / (f"{name}.zip" if name == "obow" else f"{name}.pth")
        path.write_bytes(data)
        card = {"sha256": hashlib.sha256(data).hexdigest(), "note": "synthetic"}
        path.with_name(path.name + ".json").write_text(json.dumps(card))
