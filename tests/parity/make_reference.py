#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the files of this folder: small networks with PyTorch's numbers for them.

    tests/parity/make_reference.py [--atrous build/atrous] [NAME...]

Run by hand, with a Python that has torch and safetensors; tests only read the files. Each holds,
for one network: the model's options; weights, with biases and statistics moved away from their
initial values (fp16, which fp32 holds exactly); an image and labels; and from PyTorch in double
precision the loss, the logits of training (dropout off) and of inference, every parameter's
gradient, and the running statistics after the step. Cases in which PyTorch's own fp32 is off by
more than a third of the tolerance are drawn anew: there a pooling or a ReLU sits on a tie."""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tools"))
import torch_graph  # noqa: E402
from png_files import write_png  # noqa: E402

# name: command line, batch, height, width
CASES = {
    "segnet-basic": ("segnet-basic --width 0.0625 --classes 3", 2, 21, 26),
    "segnet-basic-bilinear-lrn": (
        "segnet-basic --width 0.0625 --classes 3 --upsample bilinear --lrn", 1, 29, 18),
    "segnet-basic-pixelshuffle-none": (
        "segnet-basic --width 0.0625 --classes 3 --upsample pixelshuffle --norm none", 1, 23, 30),
    "segnet-basic-additive-add": (
        "segnet-basic --depth 1 --width 0.0625 --classes 2 --upsample additive --skip add",
        1, 9, 12),
    "segnet-basic-corner-none": (
        "segnet-basic --depth 1 --width 0.0625 --classes 2 --upsample unpool-corner "
        "--decoder single --norm none", 1, 11, 8),
    "fcn-basic": ("fcn-basic --depth 2 --width 0.0625 --classes 2", 2, 11, 13),
    "unet-transposed3": (
        "unet --depth 1 --width 0.012 --classes 2 --upsample transposed3", 1, 9, 12),
    "unet-frozen-none": (
        "unet --depth 1 --width 0.012 --classes 2 --upsample transposed-frozen --norm none",
        1, 11, 9),
    "unet-corners-group": (
        "unet --depth 1 --width 0.012 --classes 2 --upsample bilinear-corners --norm group",
        1, 10, 9),
    "unet": ("unet --width 0.012 --classes 3", 2, 35, 21),
    "unet-unpool-group": (
        "unet --width 0.012 --classes 3 --upsample unpool --norm group", 1, 17, 9),
    "unet-nearest-none": (
        "unet --width 0.012 --classes 3 --upsample nearest --norm none", 1, 35, 19),
    "fcn8s": ("fcn8s --width 0.012 --fc 4 --classes 3", 2, 37, 33),
    "fcn16s-bicubic": (
        "fcn16s --depth 11 --width 0.012 --fc 4 --classes 3 --upsample bicubic", 2, 43, 35),
    "fcn32s": ("fcn32s --depth 13 --width 0.012 --fc 4 --classes 2 --norm none", 2, 34, 40),
    "deeplabv3": ("deeplabv3 --width 0.02 --classes 2", 1, 37, 51),
    "deeplabv3-os8-transposed": (
        "deeplabv3 --width 0.015 --classes 3 --output-stride 8 --upsample transposed", 3, 25, 34),
    "hdc": ("hdc --width 0.015 --classes 2", 2, 29, 35),
    "hdc-os16-nearest-group": (
        "hdc --width 0.015 --classes 3 --output-stride 16 --upsample nearest --norm group",
        1, 51, 38),
}


def atrous(program, *arguments):
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


def fresh_weights(program, options, height, width, folder):
    """What the program initialises the network with."""
    image, mask, weights = (os.path.join(folder, n) for n in ("i.png", "m.png", "w.safetensors"))
    write_png(image, width, height, bytes(3 * width * height))
    write_png(mask, width, height, bytes(width * height))
    atrous(program, "grad", "--model", *options, "--seed", "1", "--image", image, "--mask", mask,
           "--save-weights", weights, "-o", os.path.join(folder, "g.safetensors"))
    return load_file(weights)


def roles(graph):
    """(operator, role) of each parameter by name."""
    return {name: (node["op"], role) for node in graph["nodes"]
            for role, name in node.get("params", {}).items()}


def stir(graph, weights, generator):
    """Biases, scales and statistics away from their initial zeros and ones; then fp16."""
    def uniform(t, low, high):
        return low + (high - low) * torch.rand(t.shape, generator=generator)
    for name, (op, role) in roles(graph).items():
        t = weights[name]
        if role == "running_var" or (role == "weight" and op.endswith("norm")):
            weights[name] = uniform(t, 0.5, 1.5)
        elif role in ("bias", "running_mean"):
            weights[name] = uniform(t, -0.3, 0.3)
    return {name: weights[name].half() for name in roles(graph)}


def draw(graph, batch, classes, seed):
    generator = torch.Generator().manual_seed(seed)
    _, c, h, w = graph["input"]["shape"]
    image = torch.randn(batch, c, h, w, generator=generator).half()
    labels = torch.randint(0, classes, (batch, h, w), generator=generator)
    labels[torch.rand(batch, h, w, generator=generator) < 0.1] = 255
    return image, labels, generator


def truth(graph, weights, image, labels, dtype):
    loss, logits, grads, after = torch_graph.step(graph, weights, image, labels, dtype)
    out = {"loss": loss.view(1), "logits.train": logits,
           "logits.infer": torch_graph.infer(graph, weights, image, dtype)}
    out.update({"grad." + k: v for k, v in grads.items()})
    out.update({"after." + k: v for k, v in after.items()})
    return out


def calm(expected, single):
    """Does fp32 stay within a third of the tolerance?"""
    floor = torch_graph.gradient_floor({k: v for k, v in expected.items() if k.startswith("grad.")})
    for name, b in expected.items():
        limit = 1e-4 * max(b.abs().max().item(), floor if name.startswith("grad.") else 0)
        if (single[name].double() - b).abs().max().item() > limit / 3:
            return False
    return True


def make(program, name, folder):
    command, batch, height, width = CASES[name]
    options = command.split()
    graph = json.loads(atrous(program, "info", *options, "--size", f"{height}x{width}", "--json"))
    initial = fresh_weights(program, options, height, width, folder)
    for seed in range(1000):
        image, labels, generator = draw(graph, batch, graph["model"]["classes"], seed)
        weights = stir(graph, dict(initial), generator)
        expected = truth(graph, weights, image, labels, torch.float64)
        if calm(expected, truth(graph, weights, image, labels, torch.float32)):
            break
    tensors = {"image": image, "labels": labels.to(torch.uint8)}
    tensors.update({"weight." + k: v for k, v in weights.items()})
    tensors.update({k: v.float().contiguous() for k, v in expected.items()})
    path = os.path.join(HERE, name + ".safetensors")
    save_file(tensors, path, {"model": json.dumps(graph["model"])})
    print(f"{name}: seed {seed}, {os.path.getsize(path)} bytes")


def main():
    parser = argparse.ArgumentParser(description="Makes the reference files of tests/parity.")
    parser.add_argument("--atrous", default=os.path.join(HERE, "..", "..", "build", "atrous"))
    parser.add_argument("names", nargs="*", metavar="NAME", help="all if none is named")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in arguments.names or CASES:
        with tempfile.TemporaryDirectory() as folder:
            make(arguments.atrous, name, folder)


if __name__ == "__main__":
    main()
