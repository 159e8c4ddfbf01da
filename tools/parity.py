#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares atrous with PyTorch, network by network.

    tools/parity.py [--atrous build/atrous] [--width 0.25] [--size 67x93] [MODEL...]

For each model, with every upsampling operator, norm and decoder it has: what `atrous info --json` prints is rebuilt
in PyTorch; `atrous grad --model ... --save-weights` gives weights, loss, logits and every gradient
of one step, `--mode infer` the logits of inference. The numbers must agree to 1e-4 (see agrees in
torch_graph.py). In any fp32, PyTorch's own included, a ReLU or a pooling that stands on a tie tips
now and then, in large networks as often as not: so a case differs only if it does so with each of
eight seeds. Words after -- are handed to `atrous grad`, for instance -- --conv winograd. Needs a
Python with torch and safetensors.
Ends with code 1 if anything differs."""

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

SCORES = ["nearest", "bilinear", "bicubic", "transposed", "pixelshuffle", "bilinear-corners",
          "transposed2", "transposed3", "transposed4", "transposed-bilinear", "transposed-frozen",
          "replicate", "pixelshuffle-random"]
FEATURES = SCORES + ["unpool", "unpool-corner", "additive"]
OPERATORS = {
    "segnet-basic": FEATURES + ["duc"], "fcn-basic": SCORES, "unet": FEATURES, "fcn32s": SCORES,
    "fcn16s": SCORES, "fcn8s": SCORES, "deeplabv3": SCORES + ["duc"], "hdc": SCORES + ["duc"]}
NORMS = ["batch", "group", "none"]
MORE = {  # --output-stride, --skip and --decoder
    "segnet-basic": ["--skip add", "--decoder single", "--decoder single --upsample additive"],
    "fcn-basic": ["--skip none", "--decoder full", "--skip none --decoder full"],
    "deeplabv3": ["--output-stride 8", "--output-stride 16"],
    "hdc": ["--output-stride 8", "--output-stride 16"]}
CLASSES, SEEDS = 5, 8
INFERENCE = "logits of inference"


def cases(model):
    """Option lists: each operator with batch norm; each other norm, and what else the model has,
    with the default operator."""
    for op in OPERATORS[model]:
        yield ["--upsample", op]
    for norm in NORMS[1:]:
        yield ["--norm", norm]
    for options in MORE.get(model, []):
        yield options.split()


def atrous(program, *arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def random_picture(folder, height, width, seed):
    draw = random.Random(seed)
    image, mask = (os.path.join(folder, n) for n in ("image.png", "mask.png"))
    pixels = height * width
    labels = [draw.randrange(CLASSES) if draw.random() < 0.9 else 255 for _ in range(pixels)]
    write_png(image, width, height, bytes(draw.randrange(256) for _ in range(3 * pixels)))
    write_png(mask, width, height, bytes(labels))
    return image, mask, torch.tensor(labels).view(1, height, width)


class Case:
    def __init__(self, program, options, folder, size, extra, seed):
        image, mask, self.labels = random_picture(folder, *map(int, size.split("x")), seed)
        weights, grads, infer = (os.path.join(folder, n + ".safetensors") for n in "wgi")
        fresh = ["grad", "--model", *options, "--seed", str(seed), "--image", image, *extra]
        self.graph = json.loads(atrous(program, "info", *options, "--size", size, "--json"))
        atrous(program, *fresh, "--mask", mask, "--save-weights", weights, "-o", grads)
        atrous(program, *fresh, "--mode", "infer", "-o", infer)
        self.weights, self.ours = load_file(weights), load_file(grads)
        self.ours_infer = load_file(infer)

    def numbers(self, dtype):
        """PyTorch's, under the names of our file."""
        image = self.ours["image"]
        done = torch_graph.step(self.graph, self.weights, image, self.labels, dtype)
        loss, logits, grads, _ = done
        check = torch_graph.check_shape
        infer = torch_graph.infer(self.graph, self.weights, image, dtype, check)
        return {"loss": loss, "logits": logits, INFERENCE: infer}, grads

    def worst(self):
        """(name, error / limit) of the number that agrees least."""
        truth, grads = self.numbers(torch.float64)
        other, other_grads = self.numbers(torch.float32)
        ours = {**self.ours, INFERENCE: self.ours_infer["logits"]}
        floor = torch_graph.gradient_floor(grads)
        found = [(torch_graph.agrees(ours[n], t, other[n])[1], n) for n, t in truth.items()]
        for n, t in grads.items():
            found.append((torch_graph.agrees(ours[n], t, other_grads[n], floor)[1], n))
        return max(found, key=lambda f: float("inf") if f[0] != f[0] else f[0])


def compare(program, options, size, extra):
    """Tries seeds until one agrees; prints a line for each."""
    for seed in range(1, SEEDS + 1):
        with tempfile.TemporaryDirectory() as folder:
            error, name = Case(program, options, folder, size, extra, seed).worst()
        good = error <= 1
        word = "agrees" if good else "DIFFERS" if seed == SEEDS else "another seed:"
        print(f"{word} {error:.3f} of the limit, {name}: {' '.join(options)}", flush=True)
        if good:
            return True
    return False


def main():
    parser = argparse.ArgumentParser(description="Compares atrous with PyTorch.")
    parser.add_argument("--atrous", default=os.path.join(HERE, "..", "build", "atrous"))
    parser.add_argument("--width", default="0.125")
    parser.add_argument("--size", default="67x93", metavar="HxW")
    parser.add_argument("models", nargs="*", metavar="MODEL", help="all if none is named")
    torch.set_num_threads(1)
    words = sys.argv[1:]
    extra = words[words.index("--") + 1:] if "--" in words else []
    arguments = parser.parse_args(words[:words.index("--")] if "--" in words else words)
    failed = 0
    for model in arguments.models or OPERATORS:
        for choice in cases(model):
            options = [model, "--classes", str(CLASSES), "--width", arguments.width, *choice]
            failed += not compare(arguments.atrous, options, arguments.size, extra)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
