"""The parts of OBoW (Gidaris et al., 2021): an image as a bag of visual words, and a classifier made from the words.

The teacher's feature map of a level has a vector u at each location. `Vocabulary` holds the level's words v_1 to v_K,
former vectors of the teacher in a queue, and turns maps into bags; `WeightGenerator` turns the words as they are now
into the weights by which the student predicts the bag. `methods.OBoW` puts them together. All is float32.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from elsa_nb.images.encoders.small_resnet import Encoder
from elsa_nb.images.training.distributed import gather_rows, own, processes, total

FIRST_DISTANCE = 0.5  # the running mean before the first batch, as in the official code


def bags(distances: Tensor, delta: Tensor | float) -> Tensor:
    """Return the bags (m, k) of images whose locations have squared `distances` (m, locations, k) from the words.

    The paper's soft assignment q_k(u) = exp(-|u - v_k|^2 / delta) / sum_j exp(-|u - v_j|^2 / delta); of each word the
    highest over the locations u; all divided by their sum, so that a bag sums to 1.
    """
    return F.normalize(torch.softmax(-distances / delta, dim=2).amax(dim=1), p=1, dim=1)


def distances_to_words(vectors: Tensor, words: Tensor) -> Tensor:
    """Return |u - v|^2 (..., k) of vectors u (..., d) to words v (k, d)."""
    square = vectors.square().sum(dim=-1, keepdim=True) + words.square().sum(dim=1)
    return (square - 2 * vectors @ words.T).clamp(min=0)


def bag_loss(scores: Tensor, bag: Tensor) -> Tensor:
    """Return the cross-entropy -sum_k bag_k ln softmax(scores)_k of bags and scores (m, k), mean over the rows."""
    return -(bag * F.log_softmax(scores, dim=1)).sum(dim=1).mean()


def perplexity(bag: Tensor) -> Tensor:
    """Return exp of the entropy of bags (..., k): how many words they use, 1 to k."""
    return torch.exp(-torch.xlogy(bag, bag).sum(dim=-1))


def teacher_momentum(step: int, steps: int | None, base: float) -> float:
    """Return how much of the teacher stays at `step` of `steps`: `base` to 1 by a cosine; with `steps` None, `base`."""
    if steps is None:
        return base
    return 1 - (1 - base) * (1 + math.cos(math.pi * min(step / steps, 1))) / 2


def level_maps(encoder: Encoder, images: Tensor, levels: int) -> list[Tensor]:
    """Return the feature maps (m, d, h, w), float32, of the encoder's last `levels` layers, the last one at the end."""
    layers = [layer for name, layer in encoder.backbone.named_children() if name.startswith("layer")][-levels:]
    maps: list[Tensor] = []
    hooks = [layer.register_forward_hook(lambda _layer, _inputs, output: maps.append(output)) for layer in layers]
    try:
        encoder(images)
    finally:
        for hook in hooks:
            hook.remove()
    return [part.float() for part in maps]


def level_widths(encoder: Encoder, levels: int) -> list[int]:
    """Return the channels of the maps that `level_maps` gives; ValueError for more levels than the encoder has."""
    widths = (256, 512, 1024, 2048) if encoder.architecture.resnet50 else encoder.architecture.widths
    if not 1 <= levels <= len(widths):
        raise ValueError(f"levels is {levels}; the encoder has {len(widths)}, so it is 1 to {len(widths)}.")
    return list(widths[-levels:])


class Vocabulary(nn.Module):
    """The words of one level, and the running mean of the squared distance from a location to its nearest word.

    Each batch replaces the oldest words. `words` (k, d) start as the positive parts of random normal values. `border`
    locations on each side of a map are left out, where padding tells more than the image.
    """

    def __init__(self, words: int, channels: int, *, delta: float, decay: float, border: int, window: int):
        """Make `words` words of `channels` values; `OBoWSettings` explains the rest."""
        super().__init__()
        self.delta, self.decay, self.border, self.window = delta, decay, border, window
        self.register_buffer("words", torch.randn(words, channels).clamp(min=0))
        self.register_buffer("place", torch.zeros((), dtype=torch.long))
        self.register_buffer("mean_distance", torch.tensor(FIRST_DISTANCE))

    @torch.no_grad()
    def forward(self, maps: Tensor, generator: torch.Generator) -> Tensor:
        """Return the bags (m, k) of feature maps (m, d, h, w) in the present words, then take new words from the maps.

        The softness is delta times the running mean, which this batch has moved. Raises ValueError where the border is
        all of a map.
        """
        height, width = (side - 2 * self.border for side in maps.shape[-2:])
        if min(height, width) < 1:
            raise ValueError(
                f"A border of {self.border} leaves nothing of a map of {tuple(maps.shape[-2:])}. Take a smaller border."
            )
        maps = maps[:, :, self.border : self.border + height, self.border : self.border + width]
        distances = distances_to_words(maps.flatten(2).transpose(1, 2), self.words)
        nearest = total(distances.amin(dim=2).mean()) / processes()[1]
        self.mean_distance.lerp_(nearest, 1 - self.decay)
        bag = bags(distances, self.delta * self.mean_distance)
        self.enqueue(gather_rows(self.chosen(maps, generator)))
        return bag

    def chosen(self, maps: Tensor, generator: torch.Generator) -> Tensor:
        """Return one vector (m, d) of each map (m, d, h, w): the mean of a window about a random place.

        The window has `window` locations per side, or as many as a smaller map has, and is within the map.
        """
        window = [min(self.window, side) for side in maps.shape[-2:]]
        means = F.avg_pool2d(maps, window, stride=1).flatten(2)
        every = torch.randint(means.shape[2], (len(maps) * processes()[1],), generator=generator)
        mine = own(every).to(maps.device)
        return means[torch.arange(len(maps), device=maps.device), :, mine]

    def enqueue(self, vectors: Tensor) -> None:
        """Put vectors (m, d) in the places of the oldest words; of more than there are places, the last ones."""
        places = (self.place + torch.arange(len(vectors), device=vectors.device)) % len(self.words)
        kept = slice(max(0, len(vectors) - len(self.words)), None)
        self.words[places[kept]] = vectors[kept]
        self.place.copy_((self.place + len(vectors)) % len(self.words))


class WeightGenerator(nn.Module):
    """Make the weights of a linear classifier of words from the words: the paper's dynamic prediction head.

    Length 1, linear without bias, batch normalisation over the words, ReLU, linear, length 1, times `kappa`: a word's
    weights follow from the word, wherever it is in the queue, and need not be learnt anew when another word comes. The
    normalisation keeps no running statistics, since weights are made in training alone; every process has the same
    words, and so the same weights.
    """

    def __init__(self, channels: int, embedding: int, kappa: float):
        """Take words of `channels` values and give weights of `embedding` values; twice as many lie between."""
        super().__init__()
        self.kappa = kappa
        self.first = nn.Linear(channels, 2 * embedding, bias=False)
        self.gain = nn.Parameter(torch.ones(2 * embedding))
        self.shift = nn.Parameter(torch.zeros(2 * embedding))
        self.last = nn.Linear(2 * embedding, embedding)

    def forward(self, words: Tensor) -> Tensor:
        """Map words (k, channels) to weights (k, embedding)."""
        hidden = self.first(F.normalize(words, dim=1))
        hidden = F.relu(F.batch_norm(hidden, None, None, self.gain, self.shift, training=True))
        return self.kappa * F.normalize(self.last(hidden), dim=1)
