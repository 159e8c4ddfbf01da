#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Do neighbouring cells of a network's coarsest map answer alike?

    tools/lag_ratio.py ATROUS IMAGES STRIDE RUN...

prints, for each run and the pictures in the folder IMAGES, D(1) / D(2): the mean squared difference of the logits of cells one apart over
that of cells two apart, along rows and columns, all classes and pictures. A cell is STRIDE x STRIDE
pixels, its logits their mean. On pictures neighbours are more alike than those farther apart, so
that the ratio is well below 1; where dilated convolutions leave a grid behind, cells two apart have
seen the same lattice and cells one apart another, and it rises. Logits are those of
`atrous grad --mode infer`. Needs nothing but Python.
"""

import array
import json
import os
import struct
import subprocess
import sys
import tempfile


def read_logits(path):
    """Classes, height, width, values of the file's "logits"."""
    with open(path, "rb") as f:
        size = struct.unpack("<Q", f.read(8))[0]
        entry = json.loads(f.read(size))["logits"]
        begin, end = entry["data_offsets"]
        f.seek(8 + size + begin)
        values = array.array("f", f.read(end - begin))
    return entry["shape"][1:] + [values]


def cells(plane, height, width, stride):
    """Means of whole cells, as rows."""
    rows = []
    for top in range(0, height - stride + 1, stride):
        row = []
        for left in range(0, width - stride + 1, stride):
            at = top * width + left
            row.append(sum(sum(plane[at + y * width:at + y * width + stride])
                           for y in range(stride)) / stride ** 2)
        rows.append(row)
    return rows


def squares(rows, lag):
    """Sum of squared differences along rows, and how many."""
    pairs = [(row[i] - row[i + lag]) ** 2 for row in rows for i in range(len(row) - lag)]
    return sum(pairs), len(pairs)


def add(sums, rows):
    for lines in (rows, list(zip(*rows))):
        for lag in (1, 2):
            total, count = squares(lines, lag)
            sums[lag][0] += total
            sums[lag][1] += count


def ratio(atrous, images, stride, run, out):
    sums = {1: [0.0, 0], 2: [0.0, 0]}
    weights = os.path.join(run, "weights", "last.safetensors")
    for name in sorted(os.listdir(images)):
        subprocess.run([atrous, "grad", "--weights", weights, "--mode", "infer", "--threads", "1",
                        "--image", os.path.join(images, name), "-o", out],
                       check=True, stdout=subprocess.DEVNULL)
        classes, height, width, values = read_logits(out)
        for k in range(classes):
            plane = values[k * height * width:(k + 1) * height * width]
            add(sums, cells(plane, height, width, stride))
    return sums[1][0] / sums[1][1] / (sums[2][0] / sums[2][1])


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    atrous, images, stride = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with tempfile.TemporaryDirectory() as scratch:
        for run in sys.argv[4:]:
            out = os.path.join(scratch, "logits.safetensors")
            print(f"{run},{ratio(atrous, images, stride, run, out):.4f}", flush=True)


if __name__ == "__main__":
    main()
