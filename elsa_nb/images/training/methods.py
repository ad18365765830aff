"""The eight self-supervised methods: what each puts around an encoder, and the loss it makes of the views of a batch.

Each method is a module that holds the encoder and whatever else is trained or remembered with it. Called with the views
of a batch it returns a dict of scalar tensors: "loss", the loss's parts, and "spread", the collapse figure of the
projections (`losses.direction_spread`), of OBoW's embeddings. In several processes each passes its own rows, and the
loss is that of all rows.
"""

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elsa_nb.images.encoders.small_resnet import Encoder
from elsa_nb.images.training import bags_of_words, losses
from elsa_nb.images.training.distributed import gather_rows, own, processes, synchronise


@dataclass(frozen=True)
class VICRegSettings:
    """The weights of VICReg's three terms."""

    invariance: float = losses.INVARIANCE
    variance: float = losses.VARIANCE
    covariance: float = losses.COVARIANCE


@dataclass(frozen=True)
class BarlowTwinsSettings:
    """The weight of the off-diagonal, and a factor on the whole loss.

    The published encoders were trained on 16 processes by code whose gradients are a sixteenth of these. `scale` 1 / 16
    gives theirs; it acts on weight decay and on vectors, since LARS takes the size of other gradients away.
    """

    off_diagonal: float = losses.OFF_DIAGONAL
    scale: float = 1.0


@dataclass(frozen=True)
class MoCoSettings:
    """The temperature, how slowly the key encoder follows, the queue's length, and the groups of a batch.

    Batch normalisation sees one of `groups` parts of a batch at a time, and the keys' parts are drawn anew, so that
    shared statistics do not give away a query's key (shuffled batch normalisation; the official code's groups are the
    8 GPUs). Defaults are MoCo v1's.
    """

    temperature: float = 0.07
    momentum: float = 0.999
    queue: int = 65536
    groups: int = 8


@dataclass(frozen=True)
class SimSiamSettings:
    """The hidden width of the predictor; the official one is a quarter of the projection."""

    predictor: int = 512


@dataclass(frozen=True)
class SwAVSettings:
    """The prototypes and how assignments are made.

    `frozen` are the first steps in which prototypes stay. `queue` counts former projections that take part in the
    assignments from step `queue_from` on (official for small batches: 3,840, from epoch 15 on); 0 for none.
    """

    prototypes: int = 3000
    temperature: float = 0.1
    epsilon: float = 0.05
    iterations: int = 3
    frozen: int = 0
    queue: int = 0
    queue_from: int = 0


@dataclass(frozen=True)
class OBoWSettings:
    """The vocabularies of the teacher's last `levels` layers, and how bags are made and predicted.

    `words` are those of each level. The softness of distances is `delta` times their running mean, which keeps `decay`
    of itself at each step. `border` locations on each side of a map are left out, and new words are means of windows of
    `window` x `window` locations. `kappa` is the length of the classifier's weights, `momentum` is how much of the
    teacher stays at the first step; it rises to 1 by a cosine. Defaults are those of the published ResNet-50.
    """

    words: int = 8192
    levels: int = 2
    delta: float = 1 / 15
    decay: float = 0.99
    border: int = 1
    window: int = 3
    kappa: float = 8.0
    momentum: float = 0.99


class Method(nn.Module):
    """An encoder and what trains with it; `fixed_rate` names the parts whose learning rate no schedule changes.

    `steps` is the number of steps of the run, for schedules; with None, what a schedule changes stays at its start.
    """

    fixed_rate: tuple[str, ...] = ()
    steps: int | None = None
    synchronised = True

    def __init__(self, encoder: Encoder, settings: Any):
        """Hold `encoder`; random weights of other parts are drawn after its own."""
        super().__init__()
        self.encoder, self.settings = encoder, settings

    def forward(self, views: list[Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the loss of the views, each (m, c, h, w), and its parts; `generator` is the step's."""
        raise NotImplementedError

    def after_backward(self, step: int) -> None:
        """Change gradients before the optimiser's step, if the method does that."""


class VICReg(Method):
    """VICReg (Bardes, Ponce and LeCun, 2022)."""

    def forward(self, views: list[Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Take two views."""
        s, (z, z_prime) = self.settings, [gather_rows(self.encoder(view)[1]) for view in views]
        parts = losses.vicreg_loss(z, z_prime, invariance=s.invariance, variance=s.variance, covariance=s.covariance)
        return {**parts, "spread": losses.direction_spread(z)}


class BarlowTwins(Method):
    """Barlow Twins (Zbontar et al., 2021)."""

    def forward(self, views: list[Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Take two views."""
        z, z_prime = [gather_rows(self.encoder(view)[1]) for view in views]
        parts = losses.barlow_twins_loss(z, z_prime, off_diagonal_weight=self.settings.off_diagonal)
        return {**parts, "loss": parts["loss"] * self.settings.scale, "spread": losses.direction_spread(z)}


class MoCo(Method):
    """MoCo, versions 1 and 2 (He et al., 2020; Chen et al., 2020): a queue of keys from a slowly moving encoder."""

    synchronised = False

    def __init__(self, encoder: Encoder, settings: MoCoSettings):
        """Copy the encoder for the keys, and fill the queue with random directions."""
        super().__init__(encoder, settings)
        self.key_encoder = copy.deepcopy(encoder).requires_grad_(False)
        queue = torch.randn(settings.queue, encoder.dimensions["projection"])
        self.register_buffer("queue", F.normalize(queue, dim=1))
        self.register_buffer("place", torch.zeros((), dtype=torch.long))

    def forward(self, views: list[Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Take two views: the queries and the keys."""
        query = self._in_groups(self.encoder, views[0])
        key = self._keys(views[1], generator)
        parts = losses.info_nce_loss(query, key, self.queue.clone(), temperature=self.settings.temperature)
        self._enqueue(gather_rows(key))
        return {**parts, "spread": losses.direction_spread(query)}

    def _in_groups(self, encoder: Encoder, view: Tensor) -> Tensor:
        groups = max(1, self.settings.groups // processes()[1])
        return torch.cat([encoder(part)[1] for part in view.chunk(groups)])

    @torch.no_grad()
    def _keys(self, view: Tensor, generator: torch.Generator) -> Tensor:
        for slow, fast in zip(self.key_encoder.parameters(), self.encoder.parameters(), strict=True):
            slow.lerp_(fast, 1 - self.settings.momentum)
        order = torch.randperm(len(view) * processes()[1], generator=generator).to(view.device)
        shuffled = own(gather_rows(view)[order]) if processes()[1] > 1 else view[order]
        keys = gather_rows(self._in_groups(self.key_encoder, shuffled.contiguous(memory_format=torch.channels_last)))
        return own(keys[order.argsort()]) if processes()[1] > 1 else keys[order.argsort()]

    @torch.no_grad()
    def _enqueue(self, keys: Tensor) -> None:
        places = (self.place + torch.arange(len(keys), device=keys.device)) % len(self.queue)
        self.queue[places] = F.normalize(keys, dim=1)
        self.place.copy_((self.place + len(keys)) % len(self.queue))


class SimSiam(Method):
    """SimSiam (Chen and He, 2021): predict one view's projection from the other's, without negatives."""

    fixed_rate = ("predictor",)

    def __init__(self, encoder: Encoder, settings: SimSiamSettings):
        """Add the predictor: linear, BN, ReLU, linear."""
        super().__init__(encoder, settings)
        d = encoder.dimensions["projection"]
        layers = nn.Linear(d, settings.predictor, bias=False), nn.BatchNorm1d(settings.predictor)
        self.predictor = nn.Sequential(*layers, nn.ReLU(inplace=True), nn.Linear(settings.predictor, d))

    def forward(self, views: list[Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Take two views."""
        z, z_prime = [self.encoder(view)[1] for view in views]
        forth, back = losses.cosine_loss(self.predictor(z), z_prime), losses.cosine_loss(self.predictor(z_prime), z)
        return {"loss": (forth["loss"] + back["loss"]) / 2, "spread": losses.direction_spread(z)}


class SwAV(Method):
    """SwAV (Caron et al., 2020): predict the cluster of one view from another; two views make the clusters."""

    def __init__(self, encoder: Encoder, settings: SwAVSettings):
        """Add the prototypes and the queues of the two first views."""
        super().__init__(encoder, settings)
        d = encoder.dimensions["projection"]
        self.prototypes = nn.Linear(d, settings.prototypes, bias=False)
        self.register_buffer("queue", torch.zeros(2, settings.queue, d))
        self.register_buffer("step", torch.zeros((), dtype=torch.long))

    def forward(self, views: list[Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Take two views or more; the first two, of one size, are assigned to prototypes."""
        s = self.settings
        with torch.no_grad():
            self.prototypes.weight.copy_(F.normalize(self.prototypes.weight, dim=1))
        projected = _by_size(self.encoder, views, "projection")
        with torch.autocast(views[0].device.type, enabled=False):
            z = [F.normalize(part.float(), dim=1) for part in projected]
            scores = [self.prototypes(part) for part in z]
        codes = [self._codes(i, z[i].detach(), scores[i].detach()) for i in range(2)]
        self.step += 1
        mass = gather_rows(codes[0]).mean(dim=0)
        used = torch.exp(-(mass * torch.log(mass.clamp(min=1e-12))).sum())
        loss = losses.swapped_prediction_loss(codes, scores, temperature=s.temperature)
        return {"loss": loss, "prototypes_used": used, "spread": losses.direction_spread(projected[0])}

    @torch.no_grad()
    def _codes(self, view: int, z: Tensor, scores: Tensor) -> Tensor:
        s, m = self.settings, len(z)
        remembered = scores[:0]
        if s.queue and self.queue[view, -1].any():  # once it is full, as in the official code
            remembered = own(self.queue[view]) @ self.prototypes.weight.T
        both = torch.cat([scores, remembered])
        if s.queue and self.step >= s.queue_from:
            fresh = gather_rows(z)
            self.queue[view] = torch.cat([fresh, self.queue[view]])[: s.queue]
        return losses.assignments(both, epsilon=s.epsilon, iterations=s.iterations)[:m]

    def after_backward(self, step: int) -> None:
        """Leave the prototypes as they are during the first steps."""
        if step < self.settings.frozen:
            self.prototypes.weight.grad = None


class OBoW(Method):
    """OBoW (Gidaris et al., 2021): predict, from crops, the bag of visual words that a teacher sees in the image."""

    def __init__(self, encoder: Encoder, settings: OBoWSettings):
        """Copy the encoder for the teacher; for each of its levels add a vocabulary and a generator of weights."""
        super().__init__(encoder, settings)
        s, widths = settings, bags_of_words.level_widths(encoder, settings.levels)
        self.teacher = copy.deepcopy(encoder).requires_grad_(False)
        how = {"delta": s.delta, "decay": s.decay, "border": s.border, "window": s.window}
        self.vocabularies = nn.ModuleList(bags_of_words.Vocabulary(s.words, width, **how) for width in widths)
        d = encoder.dimensions["embedding"]
        self.generators = nn.ModuleList(bags_of_words.WeightGenerator(width, d, s.kappa) for width in widths)
        self.register_buffer("step", torch.zeros((), dtype=torch.long))

    def forward(self, views: list[Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Take the teacher's view, then one or more of the student's, of any sizes."""
        device = views[0].device.type
        with torch.autocast(device, enabled=False):  # from the words that the bags are made of, before new words come
            weights = [make(v.words) for make, v in zip(self.generators, self.vocabularies, strict=True)]
        targets = self._targets(views[0], generator)
        embeddings = _by_size(self.encoder, views[1:], "embedding")
        with torch.autocast(device, enabled=False):
            levels = list(zip(weights, targets, strict=True))
            terms = [bags_of_words.bag_loss(z @ w.T, bag) for z in embeddings for w, bag in levels]
            loss = torch.stack(terms).sum() / len(embeddings)
        told = [self._words_told(bag) for bag in targets]
        means = {key: torch.stack([each[key] for each in told]).mean() for key in told[0]}
        return {"loss": loss, **means, "spread": losses.direction_spread(embeddings[0])}

    @torch.no_grad()
    def _targets(self, view: Tensor, generator: torch.Generator) -> list[Tensor]:
        s = self.settings
        momentum = bags_of_words.teacher_momentum(int(self.step), self.steps, s.momentum)
        for slow, fast in zip(self.teacher.parameters(), self.encoder.parameters(), strict=True):
            slow.lerp_(fast, 1 - momentum)
        self.step += 1
        maps = bags_of_words.level_maps(self.teacher, view, s.levels)
        with torch.autocast(view.device.type, enabled=False):
            return [words(part, generator) for words, part in zip(self.vocabularies, maps, strict=True)]

    @staticmethod
    def _words_told(bag: Tensor) -> dict[str, Tensor]:
        used = bags_of_words.perplexity(gather_rows(bag).mean(dim=0))
        return {"words_used": used, "words_an_image": bags_of_words.perplexity(bag).mean()}


def _by_size(encoder: Encoder, views: list[Tensor], space: str) -> list[Tensor]:
    """Encode views of several sizes, those of one size in one pass, as the official codes of SwAV and OBoW do."""
    part = list(encoder.dimensions).index(space)
    sides = sorted({view.shape[-1] for view in views}, reverse=True)
    vectors: dict[int, Tensor] = {}
    for members in ([i for i, view in enumerate(views) if view.shape[-1] == side] for side in sides):
        joined = torch.cat([views[i] for i in members]).contiguous(memory_format=torch.channels_last)
        vectors |= dict(zip(members, encoder(joined)[part].chunk(len(members)), strict=True))
    return [vectors[i] for i in range(len(views))]


_METHODS: dict[str, tuple[type[Method], Any]] = {
    "vicreg": (VICReg, VICRegSettings()),
    "barlow-twins": (BarlowTwins, BarlowTwinsSettings()),
    "moco-v1": (MoCo, MoCoSettings()),
    "moco-v2": (MoCo, MoCoSettings(temperature=0.2)),
    "simsiam": (SimSiam, SimSiamSettings()),
    "swav": (SwAV, SwAVSettings()),
    "swav-multicrop": (SwAV, SwAVSettings()),
    "obow": (OBoW, OBoWSettings()),
}


def default_settings(method: str) -> Any:
    """Return the official settings of a method."""
    return _METHODS[method][1]


def make_method(encoder: Encoder, settings: Any, steps: int | None = None) -> Method:
    """Put the method that the encoder's architecture names around it, ready to train for `steps` steps.

    Settings None: the official ones.
    """
    kind, default = _METHODS[encoder.architecture.method]
    settings = default if settings is None else settings
    if not isinstance(settings, type(default)):
        raise ValueError(
            f"{encoder.architecture.method} got {type(settings).__name__}; it takes {type(default).__name__}."
        )
    method = kind(encoder, settings).train()
    method.steps = steps
    return synchronise(method) if method.synchronised and processes()[1] > 1 else method
