#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds a study made by `atrous compare --preset segnet-table1` against the table it repeats.

    tools/segnet_table1.py runs/segnet-table1 > table.md

Table 1 of Badrinarayanan, Kendall & Cipolla (TPAMI 2017) is one run a cell, at 360x480 on the test
split; what is looked at is therefore not its numbers but its orderings. A claim is a list of pairs
of variants and stands for the mean difference of those pairs, one number a seed; the claims were
written down before the study was looked at. Intervals are Student's over seeds, 95 %; p is corrected
by Holm's method over the claims of a measure. Reads runs.csv alone, and needs nothing but Python.
"""

import csv
import math
import sys

# Global accuracy, class average accuracy, mIoU, boundary F1, in percent, on test.
MEASURES = ("pixel_accuracy", "mean_accuracy", "miou", "bf1_matched")
TITLES = ("pixel accuracy", "mean accuracy", "mIoU", "boundary F1")
BILINEAR, BASIC, ADDITION, SINGLE = ("Bilinear-Interpolation", "SegNet-Basic",
                                     "SegNet-Basic-EncoderAddition",
                                     "SegNet-Basic-SingleChannelDecoder")
FCN, NO_ADDITION, NO_REDUCTION, NEITHER = ("FCN-Basic", "FCN-Basic-NoAddition",
                                           "FCN-Basic-NoDimReduction",
                                           "FCN-Basic-NoAddition-NoDimReduction")
PRINTED = {
    BILINEAR: {"median": (77.9, 61.1, 43.3, 20.83), "none": (82.7, 52.5, 43.8, 23.08)},
    BASIC: {"median": (82.7, 62.0, 47.7, 35.78), "none": (84.0, 54.6, 46.3, 36.67)},
    ADDITION: {"median": (83.4, 63.6, 48.5, 35.92), "none": (84.2, 56.5, 47.7, 36.27)},
    SINGLE: {"median": (81.2, 60.7, 46.1, 31.62), "none": (83.5, 53.9, 45.2, 32.45)},
    FCN: {"median": (81.7, 62.4, 47.3, 38.11), "none": (83.9, 55.6, 45.0, 37.33)},
    NO_ADDITION: {"median": (80.5, 58.6, 44.1, 31.96), "none": (82.3, 53.9, 44.2, 29.43)},
    NO_REDUCTION: {"median": (84.1, 63.4, 50.1, 37.37), "none": (83.5, 57.3, 47.0, 37.13)},
    NEITHER: {"median": (80.5, 61.6, 45.9, 30.47), "none": (83.7, 54.8, 45.5, 33.17)},
}
WEIGHTS = ("median", "none")

# (what the paper says, [(better, worse)]), for either way of weighting.
CLAIMS = (
    ("fixed bilinear upsampling is worst: the seven others' mean",
     [(v, BILINEAR) for v in PRINTED if v != BILINEAR]),
    ("more of the encoder helps",
     [(ADDITION, BASIC), (FCN, NO_ADDITION), (NO_REDUCTION, NEITHER)]),
    ("a larger decoder helps",
     [(BASIC, SINGLE), (NO_REDUCTION, FCN), (NEITHER, NO_ADDITION)]),
)


# ---- statistics ----

def student_p(t, freedom):
    """The chance of |T| >= t: Simpson's rule over the angle of t = sqrt(freedom) tan(angle), which
    leaves the density cos^(freedom - 1)."""
    steps = 2000
    begin, end = math.atan(abs(t) / math.sqrt(freedom)), math.pi / 2

    def integral(low):
        h = (end - low) / steps
        return h / 3 * sum((1 if i in (0, steps) else 4 if i % 2 else 2) *
                           max(0.0, math.cos(low + i * h)) ** (freedom - 1)
                           for i in range(steps + 1))
    return integral(begin) / integral(0)


def student_t(p, freedom):
    low, high = 0.0, 1.0
    while student_p(high, freedom) > p:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if student_p(middle, freedom) > p else (low, middle)
    return (low + high) / 2


def paired(differences):
    """Mean, half of the interval, p; the latter two None where there are too few."""
    n = len(differences)
    mean = sum(differences) / n
    if n < 2:
        return mean, None, None
    error = math.sqrt(sum((d - mean) ** 2 for d in differences) / (n - 1) / n)
    if error == 0:
        return mean, 0.0, float(mean == 0)
    return mean, error * student_t(0.05, n - 1), student_p(mean / error, n - 1)


def holm(ps):
    adjusted, largest = [None] * len(ps), 0.0
    known = sorted((i for i, p in enumerate(ps) if p is not None), key=lambda i: ps[i])
    for rank, i in enumerate(known):
        largest = max(largest, (len(known) - rank) * ps[i])
        adjusted[i] = min(1.0, largest)
    return adjusted


# ---- the study ----

def read(path):
    """{(variant, weights): {seed: {measure: percent}}}"""
    runs = {}
    with open(path, newline="", encoding="utf-8") as f:
        for row in csv.DictReader(f):
            found = {m: 100 * float(row[m]) for m in MEASURES if row.get(m)}
            if found:
                runs.setdefault((row["network"], row["class-weights"]), {})[row["seed"]] = found
    return runs


def values(runs, key, measure):
    return {seed: r[measure] for seed, r in runs.get(key, {}).items() if measure in r}


def spread(numbers):
    numbers = list(numbers)
    if not numbers:
        return "-"
    mean = sum(numbers) / len(numbers)
    if len(numbers) < 2:
        return f"{mean:.1f}"
    deviation = math.sqrt(sum((x - mean) ** 2 for x in numbers) / (len(numbers) - 1))
    return f"{mean:.1f} ± {deviation:.1f}"


def claims():
    """(text, weights, pairs of keys of runs)"""
    for text, pairs in CLAIMS:
        for weights in WEIGHTS:
            yield text, weights, [((a, weights), (b, weights)) for a, b in pairs]
    yield ("class weights: median less none", "both",
           [((v, "median"), (v, "none")) for v in PRINTED])


def differences(runs, pairs, measure):
    """One number a seed that has all runs of the claim."""
    columns = [(values(runs, a, measure), values(runs, b, measure)) for a, b in pairs]
    seeds = [s for s in columns[0][0] if all(s in a and s in b for a, b in columns)]
    return [sum(a[s] - b[s] for a, b in columns) / len(columns) for s in seeds]


# ---- the page ----

HOLDS, REVERSED = "**holds**", "**reversed**"
ALIKE, OTHER = "can't tell, same sign", "can't tell, other sign"


def verdict(printed, mean, adjusted):
    if mean is None:
        return "not measured"
    same = (mean > 0) == (printed > 0)
    if adjusted is None or adjusted >= 0.05:
        return ALIKE if same else OTHER
    return HOLDS if same else REVERSED


def show_table(runs):
    print("| variant | weights |" + "".join(f" {t} | printed |" for t in TITLES))
    print("|---|---|" + "---|---|" * len(TITLES))
    for weights in WEIGHTS:
        for variant, printed in PRINTED.items():
            cells = "".join(f" {spread(values(runs, (variant, weights), m).values())} | {p} |"
                            for m, p in zip(MEASURES, printed[weights]))
            print(f"| {variant} | {weights} |{cells}")


def show_claims(runs, k):
    rows = []
    for text, weights, pairs in claims():
        printed = sum(PRINTED[a[0]][a[1]][k] - PRINTED[b[0]][b[1]][k] for a, b in pairs)
        seeds = differences(runs, pairs, MEASURES[k])
        rows.append((text, weights, printed / len(pairs), seeds) +
                    (paired(seeds) if seeds else (None, None, None)))
    print(f"\n### {TITLES[k]}\n\n| claim | weights | printed | here | interval | seeds that agree "
          "| p | |\n|---|---|---|---|---|---|---|---|")
    for row, p in zip(rows, holm([row[-1] for row in rows])):
        text, weights, printed, seeds, mean, half, _ = row
        here = "-" if mean is None else f"{mean:+.1f}"
        interval = "-" if half is None else f"{mean - half:+.1f} to {mean + half:+.1f}"
        agree = sum((d > 0) == (printed > 0) for d in seeds)
        print(f"| {text} | {weights} | {printed:+.1f} | {here} | {interval} | {agree} of "
              f"{len(seeds)} | {'-' if p is None else f'{p:.2g}'} | {verdict(printed, mean, p)} |")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    runs = read(sys.argv[1] + "/runs.csv")
    show_table(runs)
    for k in range(len(MEASURES)):
        show_claims(runs, k)


if __name__ == "__main__":
    main()
