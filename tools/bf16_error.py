# SPDX-License-Identifier: MIT
"""How far from double precision one training step is: ours in fp32 and in bf16, and PyTorch's under
bf16 autocast. Prints, for logits and for all gradients as one vector, the root mean square of the
error over that of the truth.

    python3 tools/bf16_error.py [--atrous PROGRAM] [MODEL ...]"""

import argparse
import json
import os
import tempfile

import torch
from safetensors.torch import load_file

import parity
import torch_graph

MODELS = {
    "segnet-basic": [], "unet": ["--width", "0.5"], "fcn8s": ["--width", "0.5", "--fc", "1024"],
    "deeplabv3": ["--output-stride", "8"], "hdc": ["--rates", "1,2,5"],
}
SIZE, SEED = "120x160", 1


def autocast_step(graph, weights, image, labels):
    net = torch_graph.Network(graph, weights).train()
    with torch.autocast("cpu", torch.bfloat16):
        logits = net(image)
    torch.nn.functional.cross_entropy(logits.float(), labels, ignore_index=255).backward()
    grads = {n: net.tensor(n) for n in net.keys}
    return logits.detach(), {n: p.grad if p.grad is not None else torch.zeros_like(p)
                             for n, p in grads.items()}


def distance(value, truth):
    return ((value.double() - truth).norm() / truth.norm()).item()


def vector(grads, names):
    return torch.cat([grads[n].double().flatten() for n in names])


def measure(program, model, folder):
    options = [model, "--classes", str(parity.CLASSES), *MODELS[model]]
    image, mask, labels = parity.random_picture(folder, *map(int, SIZE.split("x")), SEED)
    weights = os.path.join(folder, "w.safetensors")
    graph = json.loads(parity.atrous(program, "info", *options, "--size", SIZE, "--json"))
    ours = {}
    for precision in ("fp32", "bf16"):
        out = os.path.join(folder, precision + ".safetensors")
        parity.atrous(program, "grad", "--model", *options, "--seed", str(SEED), "--image", image,
                      "--mask", mask, "--precision", precision, "--save-weights", weights, "-o", out)
        ours[precision] = load_file(out)
    start, fed = load_file(weights), ours["fp32"]["image"]
    _, truth, truth_grads, _ = torch_graph.step(graph, start, fed, labels, torch.float64)
    logits, grads = autocast_step(graph, start, fed, labels)
    names = sorted(truth_grads)
    found = [(ours[p]["logits"], ours[p]) for p in ours] + [(logits, grads)]
    exact = vector(truth_grads, names)
    return [distance(y, truth) for y, _ in found] + [distance(vector(g, names), exact)
                                                      for _, g in found]


def main():
    parser = argparse.ArgumentParser(description="Errors of bf16.")
    parser.add_argument("--atrous", default=os.path.join(parity.HERE, "..", "build", "atrous"))
    parser.add_argument("models", nargs="*", metavar="MODEL", help="all if none is named")
    arguments = parser.parse_args()
    print("| network | logits: fp32 | bf16 | autocast | gradients: fp32 | bf16 | autocast |")
    print("|---|---|---|---|---|---|---|")
    for model in arguments.models or MODELS:
        with tempfile.TemporaryDirectory() as folder:
            row = measure(arguments.atrous, model, folder)
        print(f"| {model} | " + " | ".join(f"{v:.2g}" for v in row) + " |", flush=True)


if __name__ == "__main__":
    main()
