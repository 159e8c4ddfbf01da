#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares atrous with PyTorch, network by network.

    tools/parity.py [--atrous build/atrous] [--width 0.25] [--size 67x93] [MODEL...]

For each model, with every upsampling operator and norm: `atrous info --json` is rebuilt in PyTorch, `atrous
grad --model ... --save-weights` gives weights, loss, logits and every gradient of one step, `--mode infer`
the logits of inference; the numbers must agree to 1e-4 (see agrees in torch_graph.py). Needs a Python
with torch and safetensors. Ends with code 1 if anything differs."""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import torch_graph  # noqa: E402
from png_files import write_png  # noqa: E402

OPERATORS = ["nearest", "bilinear", "bicubic", "transposed", "unpool", "pixelshuffle"]
NORMS = ["batch", "group", "none"]
MODELS = ["segnet-basic", "unet", "fcn32s", "fcn16s", "fcn8s", "deeplabv3", "hdc"]
NO_UNPOOL = {"fcn32s", "fcn16s", "fcn8s", "deeplabv3", "hdc"}
STRIDES = {"deeplabv3": ["8", "16"], "hdc": ["8", "16"]}
CLASSES = 5


def cases(model):
    """Option lists: every operator with batch norm, every norm with the default operator, each stride."""
    for op in OPERATORS:
        if op != "unpool" or model not in NO_UNPOOL:
            yield ["--upsample", op]
    for norm in NORMS[1:]:
        yield ["--norm", norm]
    for stride in STRIDES.get(model, []):
        yield ["--output-stride", stride]


def atrous(program, *arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def random_picture(folder, height, width):
    draw = random.Random(1)
    image, mask = (os.path.join(folder, n) for n in ("image.png", "mask.png"))
    labels = [draw.randrange(CLASSES) if draw.random() < 0.9 else 255 for _ in range(height * width)]
    write_png(image, width, height, bytes(draw.randrange(256) for _ in range(3 * height * width)))
    write_png(mask, width, height, bytes(labels))
    return image, mask, torch.tensor(labels).view(1, height, width)


class Case:
    def __init__(self, program, options, picture, folder, size):
        image, mask, self.labels = picture
        weights, grads, infer = (os.path.join(folder, n + ".safetensors") for n in ("w", "g", "i"))
        fresh = ["grad", "--model", *options, "--seed", "1", "--image", image]
        self.graph = json.loads(atrous(program, "info", *options, "--size", size, "--json"))
        atrous(program, *fresh, "--mask", mask, "--save-weights", weights, "-o", grads)
        atrous(program, *fresh, "--mode", "infer", "-o", infer)
        self.weights, self.ours, self.ours_infer = load_file(weights), load_file(grads), load_file(infer)

    def numbers(self, dtype):
        """PyTorch's, under the names of our file."""
        image = self.ours["image"]
        loss, logits, grads, _ = torch_graph.step(self.graph, self.weights, image, self.labels, dtype)
        infer = torch_graph.infer(self.graph, self.weights, image, dtype, torch_graph.check_shape)
        return {"loss": loss, "logits": logits, "logits of inference": infer}, grads

    def worst(self):
        """(name, error / limit) of the number that agrees least."""
        (truth, grads), (single, single_grads) = self.numbers(torch.float64), self.numbers(torch.float32)
        ours = {**self.ours, "logits of inference": self.ours_infer["logits"]}
        floor = torch_graph.gradient_floor(grads)
        found = [(torch_graph.agrees(ours[n], t, single[n])[1], n) for n, t in truth.items()]
        found += [(torch_graph.agrees(ours[n], t, single_grads[n], floor)[1], n) for n, t in grads.items()]
        return max(found, key=lambda f: float("inf") if f[0] != f[0] else f[0])


def main():
    parser = argparse.ArgumentParser(description="Compares atrous with PyTorch, network by network.")
    parser.add_argument("--atrous", default=os.path.join(HERE, "..", "build", "atrous"))
    parser.add_argument("--width", default="0.125")
    parser.add_argument("--size", default="67x93", metavar="HxW")
    parser.add_argument("models", nargs="*", metavar="MODEL", help="all if none is named")
    arguments = parser.parse_args()
    height, width = map(int, arguments.size.split("x"))
    failed = 0
    for model in arguments.models or MODELS:
        for choice in cases(model):
            with tempfile.TemporaryDirectory() as folder:
                options = [model, "--classes", str(CLASSES), "--width", arguments.width, *choice]
                picture = random_picture(folder, height, width)
                error, name = Case(arguments.atrous, options, picture, folder, arguments.size).worst()
            good = error <= 1
            failed += not good
            print(f"{'agrees ' if good else 'DIFFERS'} {error:7.3f} of the limit  {model} {' '.join(choice)}  ({name})",
                  flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
