#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Times atrous beside PyTorch, ONNX Runtime and OpenVINO: the same networks, on the same cores, in
turns. Writes a table in Markdown to stdout; progress goes to stderr.

    bench/peers.py [--atrous build/atrous] [--rounds 5] [--only NETWORK] [--threads N]

What `atrous info --json` prints is rebuilt in PyTorch (tools/torch_graph.py). A training step is
forward, cross-entropy, backward, SGD with momentum, on both sides on random data made beforehand.
Every mode of every engine lives in a process of its own. The modes of a peer are tried first; its
fastest is then measured in turns with atrous. Before and after each sample a matrix product tells
how fast the cores are at that moment: rounds in which they were slower than 93 % of their best are
dropped; where all were, none is, and 0 steady rounds are told. What is told is the median of the
rounds' ratios. Memory is the most that a process that
only trains had resident, PyTorch's less what importing it takes.

Needs a Python with torch, safetensors; onnxruntime, onnx, onnxscript and openvino where there are
any."""

import argparse
import datetime
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tools"))

CLASSES, BATCH = 11, 2
NETWORKS = {
    "segnet-basic": (["segnet-basic"], "360x480"),
    "unet": (["unet", "--width", "0.5"], "256x256"),
    "deeplabv3": (["deeplabv3", "--output-stride", "8", "--rates", "12,24,36"], "256x256"),
    "fcn8s": (["fcn8s", "--width", "0.5", "--fc", "1024"], "256x256"),
    "hdc": (["hdc", "--rates", "1,2,5"], "256x256"),
}
FP32 = ["eager", "channels_last", "compile"]
BF16 = ["autocast", "autocast+compile"]
ENGINES = ["onnxruntime", "openvino"]
STEADY = 0.93


def now():
    return time.perf_counter()


# ---- one mode of one peer, in a process of its own -----------------------------------------------


class TorchMode:
    def __init__(self, graph, weights, mode):
        import torch
        import torch_graph
        self.torch, self.bf16 = torch, "autocast" in mode
        net = torch_graph.Network(graph, weights)
        image = torch.randn(graph["input"]["shape"])
        if mode != "eager":
            net = net.to(memory_format=torch.channels_last)
            image = image.to(memory_format=torch.channels_last)
        self.net, self.image = net, image
        size = image.shape[-2:]
        self.labels = torch.randint(0, CLASSES, (image.shape[0], *size))
        self.optimizer = torch.optim.SGD(net.parameters(), 1e-4, momentum=0.9)
        self.run = torch.compile(net) if "compile" in mode else net

    def train(self):
        torch = self.torch
        self.net.train()
        self.optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            logits = self.run(self.image)
        loss = torch.nn.functional.cross_entropy(logits.float(), self.labels)
        loss.backward()
        self.optimizer.step()

    def infer(self):
        torch = self.torch
        self.net.eval()
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            self.run(self.image)


class EngineMode:
    """ONNX Runtime or OpenVINO, from an export of the PyTorch network."""

    def __init__(self, graph, weights, mode, threads):
        import torch
        import torch_graph
        net = torch_graph.Network(graph, weights).eval()
        image = torch.randn(graph["input"]["shape"])
        path = os.path.join(tempfile.mkdtemp(), "net.onnx")
        torch.onnx.export(net, (image,), path, dynamo=False, input_names=["image"])
        self.image = image.numpy()
        getattr(self, mode)(path, threads)

    def onnxruntime(self, path, threads):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
        self.infer = lambda: session.run(None, {"image": self.image})

    def openvino(self, path, threads):
        import openvino
        core = openvino.Core()
        options = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
        model = core.compile_model(core.read_model(path), "CPU", options)
        self.infer = lambda: model([self.image])


def resident():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def worker(folder, mode, threads):
    """Obeys lines on stdin: "train 3" or "infer 3" answer with milliseconds of each; "fma" with the
    speed of the cores; "memory" with bytes."""
    import torch
    import torch_graph  # noqa: F401  (what importing costs is not the training's)
    from safetensors.torch import load_file
    torch.set_num_threads(threads)
    imported = resident()
    with open(os.path.join(folder, "graph.json")) as f:
        graph = json.load(f)
    weights = load_file(os.path.join(folder, "weights.safetensors"))
    engine = mode in ENGINES
    peer = EngineMode(graph, weights, mode, threads) if engine else TorchMode(graph, weights, mode)
    square = torch.randn(384, 384)
    print("ready", flush=True)
    for line in sys.stdin:
        word, _, count = line.strip().partition(" ")
        answer = []
        for _ in range(int(count or 1)):
            begin = now()
            if word == "fma":
                for _ in range(4):
                    torch.mm(square, square)
            elif word != "memory":
                getattr(peer, word)()
            answer.append(1e3 * (now() - begin))
        if word == "memory":
            answer = [resident() - imported]
        print(json.dumps(answer), flush=True)


class Peer:
    def __init__(self, folder, mode, threads):
        self.mode = mode
        command = [sys.executable, __file__, "--worker", mode, "--folder", folder,
                   "--threads", str(threads)]
        quiet = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env=quiet)
        if self.process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"{mode}: {self.process.stderr.read().strip().splitlines()[-1:]}")

    def ask(self, word, count=1):
        print(word, count, file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.kill()
        self.process.wait()


# ---- atrous --------------------------------------------------------------------------------------


class Atrous:
    def __init__(self, program, network, threads):
        self.program, self.threads = program, threads
        self.options, self.size = NETWORKS[network]

    def call(self, *words):
        done = subprocess.run([self.program, *words], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def export(self, folder):
        """The graph at batch 2, and weights."""
        from png_files import write_png
        picture, weights = (os.path.join(folder, n) for n in ("p.png", "weights.safetensors"))
        write_png(picture, 32, 32, bytes(3 * 32 * 32))
        words = [*self.options, "--classes", str(CLASSES)]
        self.call("grad", "--model", *words, "--image", picture, "--mode", "infer",
                  "--save-weights", weights, "-o", os.path.join(folder, "unused.safetensors"))
        graph = json.loads(self.call("info", *words, "--size", self.size, "--json"))
        graph["input"]["shape"][0] = BATCH
        with open(os.path.join(folder, "graph.json"), "w") as f:
            json.dump(graph, f)

    def bench(self, repeat, *more):
        words = ["bench", "model", *self.options, "--classes", str(CLASSES), "--size", self.size,
                 "--batch", str(BATCH), "--threads", str(self.threads), "--repeat", str(repeat)]
        return json.loads(self.call(*words, "--json", *more))


# ---- a comparison --------------------------------------------------------------------------------


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def fastest(folder, modes, word, threads):
    """The peer of these modes that does `word` fastest; the others are closed."""
    best, best_ms = None, 0
    for mode in modes:
        try:
            peer = Peer(folder, mode, threads)
            peer.ask(word, 2)
            ms = min(peer.ask(word, 3))
        except (RuntimeError, ValueError) as error:
            say(f"  {mode}: not measured ({error})")
            continue
        say(f"  {mode} {word}: {ms:.1f} ms")
        if best is None or ms < best_ms:
            if best:
                best.close()
            best, best_ms = peer, ms
        else:
            peer.close()
    return best


def in_turns(ours, peer, word, rounds):
    """Medians: peer's ms, our ms, ratio; and how many rounds counted."""
    samples, speeds = [], []
    for _ in range(rounds):
        before = min(peer.ask("fma", 3))
        theirs = statistics.median(peer.ask(word, 3))
        middle = min(peer.ask("fma", 3))
        mine = ours()
        after = min(peer.ask("fma", 3))
        samples.append((theirs, mine))
        speeds.append((before, middle, after))
    best = min(min(s) for s in speeds)
    steady = [s for s, f in zip(samples, speeds) if best / max(f) >= STEADY]
    told = steady or samples  # where no round was steady, all of them, and the count says so: 0
    ratio = statistics.median(t / m for t, m in told)
    return (statistics.median(t for t, _ in told), statistics.median(m for _, m in told), ratio,
            len(steady))


def line(network, what, peer, result):
    theirs, mine, ratio, rounds = result
    text = (f"| {network} | {what} | {peer.mode} | {theirs:.1f} | {mine:.1f} | {ratio:.2f} | "
            f"{rounds} |")
    print(text, flush=True)
    say(text)


def training(network, ours, folder, modes, what, more, options):
    peer = fastest(folder, modes, "train", options.threads)
    if peer is None:
        return
    bench = ours.bench(3, "--train-only", *more)
    memory = peer.ask("memory")[0]
    result = in_turns(lambda: ours.bench(3, "--train-only", *more)["train_step_ms"]["median"], peer,
                      "train", options.rounds)
    line(network, what, peer, result)
    mine = bench["rss_bytes"]
    text = (f"| {network} | {what}, memory MiB | {peer.mode} | {memory / 2**20:.0f} | "
            f"{mine / 2**20:.0f} | {mine / memory:.2f} | |")
    print(text, flush=True)
    say(text)
    peer.close()


def inference(network, ours, folder, options):
    for modes in (FP32, ["onnxruntime"], ["openvino"]):
        peer = fastest(folder, modes, "infer", options.threads)
        if peer is None:
            continue
        result = in_turns(lambda: ours.bench(3)["inference_ms"]["median"], peer, "infer",
                          options.rounds)
        line(network, "inference fp32", peer, result)
        peer.close()


def compare(network, options):
    ours = Atrous(options.atrous, network, options.threads)
    say(network)
    with tempfile.TemporaryDirectory() as folder:
        ours.export(folder)
        training(network, ours, folder, FP32, "train step fp32", [], options)
        training(network, ours, folder, BF16, "train step, fastest precision",
                 ["--precision", "auto"], options)
        inference(network, ours, folder, options)


def versions():
    import importlib.metadata as metadata
    names = ["torch", "onnxruntime", "openvino"]
    found = []
    for name in names:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            pass
    return ", ".join(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--atrous", default=os.path.join(HERE, "..", "build", "atrous"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", action="append", choices=NETWORKS, help="may be repeated")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return worker(options.folder, options.worker, options.threads)
    cpu = json.loads(subprocess.run(
        [options.atrous, "bench", "model", "unet", "--width", "0.125", "--classes", "2", "--size",
         "32", "--repeat", "1", "--json"], capture_output=True, text=True, check=True).stdout)
    print(f"{cpu['cpu']['name']}, {cpu['cpu']['level']} kernels, {options.threads} threads; "
          f"{datetime.date.today()}; atrous {cpu['version']}, {versions()}; batch {BATCH}.\n")
    print("| network | what | peer, its fastest mode | peer ms | atrous ms | peer / atrous | "
          "steady rounds |\n|---|---|---|---|---|---|---|", flush=True)
    for network in options.only or NETWORKS:
        compare(network, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
