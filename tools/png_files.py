# SPDX-License-Identifier: MIT
"""The least of a PNG writer, so that scripts can make pictures with nothing installed."""

import zlib


def write_png(path, width, height, samples):
    """8 bits a sample, rows from the top: grey if there are width * height of them, RGB if three
    times as many."""
    channels = len(samples) // (width * height)
    if len(samples) != width * height * channels or channels not in (1, 3):
        raise ValueError(f"{len(samples)} samples are no picture of {width} x {height}")

    def chunk(kind, data):
        body = kind + data
        return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    row = width * channels
    raw = b"".join(b"\0" + bytes(samples[y * row:(y + 1) * row]) for y in range(height))
    kind = 0 if channels == 1 else 2
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, kind, 0, 0, 0])
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw))
                + chunk(b"IEND", b""))
