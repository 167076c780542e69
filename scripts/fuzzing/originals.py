"""Write intact clips, sounds and pictures in common formats, each a second long or a few pixels wide."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from clip_making import CONTAINERS, RATE, scene, tones, write
from PIL import Image

SOUNDS = {
    "wav": ("WAV", "PCM_16"),
    "u8.wav": ("WAV", "PCM_U8"),
    "24.wav": ("WAV", "PCM_24"),
    "float.wav": ("WAV", "FLOAT"),
    "ulaw.wav": ("WAV", "ULAW"),
    "ms.wav": ("WAV", "MS_ADPCM"),
    "rf64.wav": ("RF64", "PCM_16"),
    "w64": ("W64", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "aiff": ("AIFF", "PCM_16"),
    "au": ("AU", "PCM_16"),
    "caf": ("CAF", "PCM_16"),
}
TRACKS = {"aac": "aac", "m4a": "aac", "mka": "libopus", "ac3": "ac3", "mp2": "mp2", "tta": "tta", "wv": "wavpack"}
PICTURES = {
    "png": "RGB",
    "palette.png": "P",
    "grey.png": "LA",
    "16.png": "I;16",
    "apng.png": "RGBA",
    "jpg": "RGB",
    "cmyk.jpg": "CMYK",
    "gif": "P",
    "bmp": "RGB",
    "webp": "RGBA",
    "tif": "RGB",
    "16.tif": "I;16",
    "float.tif": "F",
    "ppm": "RGB",
    "pgm": "L",
    "pbm": "1",
    "tga": "RGBA",
    "pcx": "RGB",
    "sgi": "RGB",
    "ico": "RGBA",
    "jp2": "RGB",
    "avif": "RGB",
    "dds": "RGBA",
    "im": "L",
    "xbm": "1",
    "msp": "1",
    "blp": "P",
}


def originals(folder: Path) -> list[Path]:
    """Write every format and return the files; each must open as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    wave = tones(1.0, level=0.4)
    files = [
        write(folder / f"film.{suffix}", codecs, scene(1.0, 48, 64), wave[None])
        for suffix, codecs in CONTAINERS.items()
    ]
    for suffix, (form, subtype) in SOUNDS.items():
        soundfile.write(folder / f"sound.{suffix}", wave, RATE, format=form, subtype=subtype)
        files.append(folder / f"sound.{suffix}")
    files += [write(folder / f"track.{suffix}", ("", codec), None, wave[None]) for suffix, codec in TRACKS.items()]
    return files + [_picture(folder / f"picture.{suffix}", mode) for suffix, mode in PICTURES.items()]


def _picture(path: Path, mode: str) -> Path:
    dice = np.random.default_rng(0)
    grey = np.linspace(0, 255, 40 * 30).reshape(30, 40).astype(np.uint8)
    if mode == "I;16":
        picture = Image.fromarray(grey.astype(np.uint16) * 257)
    elif mode == "F":
        picture = Image.fromarray(grey.astype(np.float32))
    else:
        noise = dice.integers(0, 60, (30, 40, 3), np.uint8)
        picture = Image.fromarray(np.clip(grey[..., None] + noise, 0, 255).astype(np.uint8)).convert(mode)
    more = {"save_all": True, "append_images": [picture.rotate(180)]} if path.name.startswith("picture.apng") else {}
    picture.save(path, **more)
    return path
