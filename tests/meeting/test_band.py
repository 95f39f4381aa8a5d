# SPDX-License-Identifier: Apache-2.0
"""The band survives what a recording does to a picture: test_band.py BAND_PICTURES."""
import os
import subprocess
import sys
import tempfile

import numpy as np

import band

WIDTH, HEIGHT, N_FRAMES = 640, 360, 60
EXPECTED = [(n % 140, (3990 + n) & 0xFFF) for n in range(N_FRAMES)]


def recompress(raw, width, height, path, codec):
    subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "rawvideo", "-pix_fmt", "yuv420p",
         "-video_size", f"{WIDTH}x{HEIGHT}", "-framerate", "25", "-i", raw,
         "-vf", f"scale={width}:{height}", *codec, path], check=True)


def main():
    with tempfile.TemporaryDirectory() as folder:
        raw = os.path.join(folder, "raw.yuv")
        with open(raw, "wb") as file:
            subprocess.run([sys.argv[1]], stdout=file, check=True)
        x264 = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "28"]
        low = ["-c:v", "libx264", "-preset", "veryfast", "-b:v", "300k"]
        for width, height, codec in ((320, 180, x264), (640, 360, x264), (1920, 1080, x264),
                                     (640, 360, low), (426, 240, x264)):
            path = os.path.join(folder, f"{width}-{codec[-1]}.mp4")
            recompress(raw, width, height, path, codec)
            got = [band.read(gray) for _, gray in band.frames(path)]
            assert got == EXPECTED, (width, codec, got)
        # Nothing is read where nothing is written.
        random = np.random.default_rng(1)
        for _ in range(2000):
            assert band.read(random.integers(0, 256, (90, 160), dtype=np.uint8)) is None
        assert band.read(np.zeros((90, 160), np.uint8)) is None
        assert band.read(np.full((90, 160), 255, np.uint8)) is None


main()
