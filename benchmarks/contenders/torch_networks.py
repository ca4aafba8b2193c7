"""The benchmark's four networks in PyTorch, the same functions as ``zoo.models`` builds, and how a user would train them.

PyTorch is optional: ``pip install '.[bench]'``. Maps are NCHW, laid out channels-last. A pool over an even map that
TensorFlow pads by one on the right and below is one that rounds up here.
"""

from __future__ import annotations

import itertools
import os

import torch
from torch import nn
from torch.nn import functional

from benchmarks.contender import ContenderServer
from benchmarks.contenders import images

BATCH, EVALUATION_BATCH = 128, 500
SIZE = 24  # pixels that the network sees
READY_BATCHES = 80


def conv(channels: int, width: int, kernel: int) -> nn.Sequential:
    """[B, channels, H, W] to [B, width, H, W], with a ReLU."""
    return nn.Sequential(nn.Conv2d(channels, width, kernel, padding=kernel // 2), nn.ReLU())


def pool() -> nn.Module:
    return nn.MaxPool2d(3, 2, ceil_mode=True)


def normalize() -> nn.Module:
    """PyTorch divides alpha by the window of nine channels; with that, the tutorial's constants."""
    return nn.LocalResponseNorm(9, alpha=0.001, beta=0.75, k=1.0)


class Features(nn.Module):
    """[B, C, H, W] to [B, H * W * C], in the order of TensorFlow's maps, which is how they lie in memory."""

    def forward(self, maps):
        return maps.permute(0, 2, 3, 1).flatten(1)


class Average(nn.Module):
    """Class maps [B, classes, H, W] to logits [B, classes]."""

    def forward(self, maps):
        return maps.mean(dim=(2, 3))


class Fire(nn.Module):
    """[B, channels, H, W] to [B, ones + threes, H, W]."""

    def __init__(self, channels: int, width: int, ones: int, threes: int):
        super().__init__()
        self.squeeze = conv(channels, width, 1)
        self.ones, self.threes = conv(width, ones, 1), conv(width, threes, 3)

    def forward(self, maps):
        maps = self.squeeze(maps)
        return torch.cat([self.ones(maps), self.threes(maps)], dim=1)


def alex(lrn: bool) -> nn.Module:
    def normalized():
        return [normalize()] if lrn else []

    convs = [conv(3, 64, 5), pool(), *normalized(), conv(64, 64, 5), *normalized(), pool()]
    hidden = [nn.Linear(2304, 384), nn.ReLU(), nn.Linear(384, 192), nn.ReLU()]
    return nn.Sequential(*convs, Features(), *hidden, nn.Linear(192, 10))


def nin() -> nn.Module:
    def block(channels, width, kernel, first, second):
        return [conv(channels, width, kernel), conv(width, first, 1), conv(first, second, 1)]

    first = [*block(3, 192, 5, 160, 96), pool(), nn.Dropout(0.5)]
    second = [*block(96, 192, 5, 192, 192), pool(), nn.Dropout(0.5)]
    return nn.Sequential(*first, *second, *block(192, 192, 3, 192, 10), Average())


def squeeze() -> nn.Module:
    first = [conv(3, 64, 3), pool(), Fire(64, 32, 64, 64), Fire(128, 32, 64, 64)]
    second = [pool(), Fire(128, 32, 128, 128), Fire(256, 32, 128, 128)]
    return nn.Sequential(*first, *second, conv(256, 10, 1), Average())


NETWORKS = {"tuto": lambda: alex(lrn=True), "alex2": lambda: alex(lrn=False), "nin2": nin, "squeeze1": squeeze}


def parameter_count(network: nn.Module) -> int:
    return sum(weights.numel() for weights in network.parameters())


def decayed(network: nn.Module) -> list[nn.Parameter]:
    """The kernels of the hidden dense layers, on which the recipe's weight decay acts."""
    return [layer.weight for layer in network if isinstance(layer, nn.Linear)][:-1]


def compete(server: ContenderServer, model: str, compiled: bool, precision: str, evaluated: int) -> None:
    """``train``: steps on ready-made batches, without averages. ``evaluate``: passes over ``evaluated`` test images."""
    torch.set_num_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    torch.manual_seed(0)
    loaded = images.load()
    count = READY_BATCHES * BATCH
    training = _batches(loaded.train_images[:count], loaded.train_labels[:count], BATCH)
    testing = _batches(loaded.test_images[:evaluated], loaded.test_labels[:evaluated], EVALUATION_BATCH)
    network = NETWORKS[model]().to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    kernels = decayed(network)
    # Shapes differ between training and evaluation: each gets code of its own, not one for any shape.
    called = torch.compile(network, dynamic=False) if compiled else network
    narrow = torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16")
    endless = itertools.cycle(training)

    def train() -> int:
        pixels, labels = next(endless)
        optimizer.zero_grad(set_to_none=True)
        with narrow:
            logits = called(pixels)
        loss = functional.cross_entropy(logits.float(), labels)
        loss = loss + sum(500.0 / kernel.numel() * kernel.square().sum() / 2 for kernel in kernels)
        loss.backward()
        optimizer.step()
        return len(labels)

    def evaluate() -> int:
        network.eval()
        with torch.inference_mode(), narrow:
            for pixels, _ in testing:
                called(pixels).float().numpy()
        network.train()
        return evaluated

    train()
    evaluate()
    server.ready(
        params=parameter_count(network), precision=precision, data=loaded.name, packages={"torch": torch.__version__}
    )
    server.serve({"train": train, "evaluate": evaluate})


def _batches(pixels, labels, batch: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Standardized central crops, float32 [batch, 3, 24, 24] channels-last, with labels int64 [batch]."""
    crops = torch.from_numpy(images.central(pixels, SIZE)).permute(0, 3, 1, 2)
    targets = torch.from_numpy(labels.astype("int64"))
    return [
        (crops[i : i + batch].clone(memory_format=torch.channels_last), targets[i : i + batch])
        for i in range(0, len(crops) - batch + 1, batch)
    ]
