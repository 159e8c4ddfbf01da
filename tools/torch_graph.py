# SPDX-License-Identifier: MIT
"""Rebuilds a network in PyTorch from the JSON that `atrous info --json` prints ("atrous-graph/1"),
and compares numbers by the project's rule. Knows operators, not architectures."""

import torch
import torch.nn.functional as F


def batch_norm(net, a, p, x):
    single = x.numel() == x.shape[1]
    if net.training and single:  # PyTorch refuses: the output is the bias, no gradient passes
        return p["bias"].view(1, -1, 1, 1) + 0 * x.detach()
    return F.batch_norm(x, p["running_mean"], p["running_var"], p["weight"], p["bias"],
                        net.training, a["momentum"], a["eps"])


def interpolate(net, a, p, x, like=None):
    size = like.shape[-2:] if like is not None else None
    mode = a["mode"]
    corners = None if mode == "nearest" else a["align_corners"]
    return F.interpolate(x, size, None if size else a["scale_factor"], mode, corners)


def crop(net, a, p, x, like):
    (y, z), (h, w) = a["offset"], like.shape[-2:]
    return x[:, :, y:y + h, z:z + w]


OPERATORS = {
    "conv2d": lambda net, a, p, x: F.conv2d(
        x, p["weight"], p.get("bias"), a["stride"], a["padding"], a["dilation"], a["groups"]),
    "conv_transpose2d": lambda net, a, p, x: F.conv_transpose2d(
        x, p["weight"], p.get("bias"), a["stride"], a["padding"], a["output_padding"], a["groups"],
        a["dilation"]),
    "max_pool2d": lambda net, a, p, x: F.max_pool2d(
        x, a["kernel"], a["stride"], a["padding"], a.get("dilation", 1), a["ceil_mode"],
        return_indices=True),
    "max_unpool2d": lambda net, a, p, x, indices, like: torch.ops.aten.max_unpool2d(
        x, indices, like.shape[-2:]),
    "avg_pool2d": lambda net, a, p, x: F.avg_pool2d(
        x, a["kernel"], a["stride"], a["padding"], a["ceil_mode"], a["count_include_pad"]),
    "adaptive_avg_pool2d": lambda net, a, p, x: F.adaptive_avg_pool2d(x, a["output_size"]),
    "interpolate": interpolate,
    "pixel_shuffle": lambda net, a, p, x: F.pixel_shuffle(x, a["upscale_factor"]),
    "pad": lambda net, a, p, x: F.pad(x, a["pad"], a["mode"]),
    "crop": crop,
    "batch_norm": batch_norm,
    "group_norm": lambda net, a, p, x: F.group_norm(
        x, a["groups"], p["weight"], p["bias"], a["eps"]),
    "local_response_norm": lambda net, a, p, x: F.local_response_norm(
        x, a["size"], a["alpha"], a["beta"], a["k"]),
    "relu": lambda net, a, p, x: F.relu(x),
    "leaky_relu": lambda net, a, p, x: F.leaky_relu(x, a["negative_slope"]),
    "prelu": lambda net, a, p, x: F.prelu(x, p["weight"]),
    "elu": lambda net, a, p, x: F.elu(x, a["alpha"]),
    "sigmoid": lambda net, a, p, x: torch.sigmoid(x),
    "tanh": lambda net, a, p, x: torch.tanh(x),
    "dropout": lambda net, a, p, x: F.dropout(x, a["p"], net.training and net.dropout),
    "dropout2d": lambda net, a, p, x: F.dropout2d(x, a["p"], net.training and net.dropout),
    "cat": lambda net, a, p, *x: torch.cat(x, 1),
    "add": lambda net, a, p, x, y: x + y,
    "mul": lambda net, a, p, x, y: x * y,
}


class Network(torch.nn.Module):
    """weights: tensors by the names of the file. Running statistics become buffers. Dropout is off,
    even in training, until `dropout` is set."""

    def __init__(self, graph, weights):
        super().__init__()
        if graph["format"] != "atrous-graph/1":
            raise ValueError(f"unknown format {graph['format']}")
        self.graph, self.dropout, self.keys = graph, False, {}
        for node in graph["nodes"]:
            for role, name in node.get("params", {}).items():
                self._add(name, weights[name], role.startswith("running_"))
        self._plan_lives()

    def _add(self, name, tensor, buffer):
        if name in self.keys:
            return
        self.keys[name] = name.replace(".", "/")  # a module's own names have no dots
        if buffer:
            self.register_buffer(self.keys[name], tensor.clone())
        else:
            self.register_parameter(self.keys[name], torch.nn.Parameter(tensor.clone()))

    def _plan_lives(self):
        """Which values the forward pass may forget after each node."""
        last = {}
        for i, node in enumerate(self.graph["nodes"]):
            for name in node["inputs"]:
                last[name.partition(":")[0]] = i
        self.done = [[] for _ in self.graph["nodes"]]
        for name, i in last.items():
            if name != self.graph["output"]:
                self.done[i].append(name)

    def tensor(self, name):
        """A parameter or buffer by its name in the file."""
        return getattr(self, self.keys[name])

    def forward(self, image, check=None):
        """`check`, if given, is called with each node and its value."""
        values = {self.graph["input"]["name"]: (image,)}
        for node, done in zip(self.graph["nodes"], self.done):
            inputs = [self._value(values, name) for name in node["inputs"]]
            params = {k: self.tensor(v) for k, v in node.get("params", {}).items()}
            out = OPERATORS[node["op"]](self, node["attrs"], params, *inputs)
            values[node["name"]] = out if isinstance(out, tuple) else (out,)
            if check:
                check(node, values[node["name"]][0])
            for name in done:
                del values[name]
        return values[self.graph["output"]][0]

    @staticmethod
    def _value(values, reference):
        name, _, output = reference.partition(":")
        return values[name][1 if output else 0]


def check_shape(node, value):
    """For forward's `check` where the image has the graph's own size."""
    if list(value.shape) != node["output_shape"]:
        raise ValueError(
            f"{node['name']}: {list(value.shape)}, the graph says {node['output_shape']}")


def step(graph, weights, image, labels, dtype, ignore=255):
    """One forward and backward in training mode without dropout: loss, logits, gradients by name,
    and the running statistics afterwards."""
    net = Network(graph, {k: v.to(dtype) for k, v in weights.items()}).train()
    logits = net(image.to(dtype))
    loss = F.cross_entropy(logits, labels, ignore_index=ignore)
    loss.backward()
    grads, after = {}, {}
    for name, key in net.keys.items():
        tensor = getattr(net, key)
        if isinstance(tensor, torch.nn.Parameter):
            grads[name] = tensor.grad if tensor.grad is not None else torch.zeros_like(tensor)
        else:
            after[name] = tensor
    return loss.detach(), logits.detach(), grads, after


def infer(graph, weights, image, dtype, check=None):
    net = Network(graph, {k: v.to(dtype) for k, v in weights.items()}).eval()
    with torch.no_grad():
        return net(image.to(dtype), check)


def agrees(ours, truth, other, floor=0.0):
    """The rule: max|a-b| <= 1e-4 max(max|b|, floor), b in double precision; or three times the
    error of PyTorch's own fp32, `other`. Returns (agrees, error / limit)."""
    error = (ours.double() - truth).abs().max().item()
    limit = 1e-4 * max(truth.abs().max().item(), floor)
    limit = max(limit, 3 * (other.double() - truth).abs().max().item())
    return error <= limit, error / limit if limit > 0 else float(error > 0)


def gradient_floor(grads):
    return 1e-3 * max(g.abs().max().item() for g in grads.values())
