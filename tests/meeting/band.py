# SPDX-License-Identifier: Apache-2.0
"""Reads the machine-readable band of the test meeting's pictures.

    read(gray) -> (person, counter) or None

`gray` is a 2-D uint8 array: one picture, exactly cropped (a tile out of a gallery, without its
letter box). The band's layout stands in docs/test-meeting.md. A shared screen has SCREEN added
to its person's number.

As a program: band.py FILE [FIRST_S [FOR_S]] prints one line `time person counter` a frame.
"""
import json
import subprocess
import sys

import numpy as np

N_CELLS = 32
SCREEN = 128
MIN_CONTRAST = 60


def _crc6(bits):
    crc = 0
    for i in range(19, -1, -1):
        top = ((crc >> 5) ^ (bits >> i)) & 1
        crc = (crc << 1) & 0x3F
        if top:
            crc ^= 0x03
    return crc


def cells(person, counter):
    """The 32 cells of a band as a list of 0 and 1."""
    payload = (person & 0xFF) << 12 | (counter & 0xFFF)
    word = 5 << 29 | payload << 9 | (_crc6(payload) ^ 0x2A) << 3 | 2
    return [word >> (31 - i) & 1 for i in range(N_CELLS)]


def read(gray):
    """(person, counter) of one picture, or None where no valid band is."""
    height, width = gray.shape
    band = height / 15
    rows = gray[int(band * 0.3):max(int(band * 0.3) + 1, int(band * 0.7))].astype(np.float32)
    edges = np.arange(N_CELLS + 1) * width / N_CELLS
    size = width / N_CELLS
    level = np.array([rows[:, int(e + size * 0.3):max(int(e + size * 0.3) + 1,
                                                      int(e + size * 0.7))].mean()
                      for e in edges[:-1]])
    white = (level[0] + level[2] + level[30]) / 3
    black = (level[1] + level[29] + level[31]) / 3
    if white - black < MIN_CONTRAST:
        return None
    bits = (level > (white + black) / 2).astype(int)
    word = int("".join(map(str, bits)), 2)
    payload = word >> 9 & 0xFFFFF
    if word >> 29 != 5 or word & 7 != 2 or word >> 3 & 0x3F != _crc6(payload) ^ 0x2A:
        return None
    return payload >> 12, payload & 0xFFF


def frames(path, first_s=None, for_s=None, crop=None):
    """Yields (time_s, gray) for each frame of a file, decoded by ffmpeg at its own times.

    crop: (x, y, width, height) of a tile.
    """
    probe = json.loads(subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries",
         "stream=width,height:packet=pts_time", "-of", "json", path],
        check=True, capture_output=True).stdout)
    width, height = (probe["streams"][0][k] for k in ("width", "height"))
    times = sorted(float(p["pts_time"]) for p in probe["packets"] if "pts_time" in p)
    if first_s is not None:
        times = [t for t in times if t >= first_s - 1e-4]
    command = ["ffmpeg", "-v", "error", "-nostdin"]
    if first_s is not None:
        command += ["-ss", str(first_s)]
    if for_s is not None:
        command += ["-t", str(for_s)]
    command += ["-i", path, "-map", "0:v:0", "-fps_mode", "passthrough"]
    if crop is not None:
        x, y, width, height = crop
        command += ["-vf", f"crop={width}:{height}:{x}:{y}"]
    command += ["-pix_fmt", "gray", "-f", "rawvideo", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        for time_s in times:
            data = process.stdout.read(width * height)
            if len(data) < width * height:
                break
            yield time_s, np.frombuffer(data, np.uint8).reshape(height, width)
        process.stdout.close()


def main():
    first_s, for_s = (list(map(float, sys.argv[2:4])) + [None, None])[:2]
    for time_s, gray in frames(sys.argv[1], first_s, for_s):
        person, counter = read(gray) or ("-", "-")
        print(f"{time_s:.3f} {person} {counter}")


if __name__ == "__main__":
    main()
