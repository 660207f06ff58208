"""Pictures of pages, compared so that another machine's way of drawing letters passes and a moved column does not.

A picture is kept at half its size, in 32 shades of each colour, as a PNG that any viewer shows. Two are compared by the mean
colour of blocks of 16 pixels: smoothing of letters is gone in it, a line of text that moved or a colour that changed is not.
"""

from __future__ import annotations

import base64
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]  # height, width, red green blue

BLOCK = 8  # pixels of a kept picture: 16 of the page
FAR = 14.0  # of 255: by so much the mean colour of a block must differ to count
MOST = 0.01  # of the blocks may differ

_PIXELS = """async (data) => {
  const blob = await (await fetch("data:image/png;base64," + data)).blob();
  const image = await createImageBitmap(blob);
  const canvas = new OffscreenCanvas(image.width, image.height);
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0);
  const bytes = pen.getImageData(0, 0, image.width, image.height).data;
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return [image.width, image.height, btoa(text)];
}"""


def taken(page: Any, reader: Any) -> Picture:
    """What the window shows, at half its size. `reader` is a blank page that decodes the picture."""
    png = base64.b64encode(page.screenshot(type="png")).decode()
    width, height, pixels = reader.evaluate(_PIXELS, png)
    whole = np.frombuffer(base64.b64decode(pixels), np.uint8).reshape(height, width, 4)[:, :, :3].astype(float)
    even = whole[: height // 2 * 2, : width // 2 * 2]
    half = even.reshape(height // 2, 2, width // 2, 2, 3).mean(axis=(1, 3))
    return np.clip((half / 8).round() * 8, 0, 255).astype(np.uint8)


def apart(one: Picture, other: Picture) -> float:
    """The share of blocks whose mean colours are far from each other; 1 where the sizes differ."""
    if one.shape != other.shape:
        return 1.0
    return float((np.abs(_blocks(one) - _blocks(other)).max(axis=2) > FAR).mean())


def _blocks(picture: Picture) -> NDArray[np.float64]:
    height, width = (side // BLOCK for side in picture.shape[:2])
    whole = picture[: height * BLOCK, : width * BLOCK].astype(float)
    means: NDArray[np.float64] = whole.reshape(height, BLOCK, width, BLOCK, 3).mean(axis=(1, 3))
    return means


# --- PNG: the little of it that is needed (ISO 15948), each line as its difference from the one above


def write(path: Path, picture: Picture) -> None:
    height, width, _ = picture.shape
    above = np.vstack([np.zeros((1, width, 3), np.uint8), picture[:-1]])
    lines = (picture - above).reshape(height, -1)
    data = zlib.compress(np.hstack([np.full((height, 1), 2, np.uint8), lines]).tobytes(), 9)
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", data), (b"IEND", b""))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in chunks))


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def read(path: Path) -> Picture:
    """A picture that `write` wrote."""
    raw, at, data = path.read_bytes(), 8, b""
    width, height = struct.unpack(">II", raw[16:24])
    while at < len(raw):
        (length,) = struct.unpack(">I", raw[at : at + 4])
        if raw[at + 4 : at + 8] == b"IDAT":
            data += raw[at + 8 : at + 8 + length]
        at += 12 + length
    lines = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, 1 + 3 * width)[:, 1:]
    return np.add.accumulate(lines, axis=0, dtype=np.uint8).reshape(height, width, 3)
