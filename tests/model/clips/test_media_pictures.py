"""Pictures: their range is scaled and not clipped, their budget holds for any shape, bombs are not opened."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from affectllm.model.clips.fence import MOST_PIXELS
from affectllm.model.clips.media import Budget, MediaError, frame_size, open_image

WIDE = Budget(max_pixels=10**6, min_pixels=1)
GREY = np.linspace(0, 255, 56 * 56).reshape(56, 56).astype(np.uint8)


def opened(path: Path, budget: Budget = WIDE) -> np.ndarray:
    picture = open_image(path, budget)
    assert isinstance(picture, np.ndarray), picture
    return picture


def refused(path: Path, budget: Budget = WIDE) -> MediaError:
    error = open_image(path, budget)
    assert isinstance(error, MediaError), error.shape
    return error


@pytest.mark.parametrize("suffix", ["png", "tif", "pgm", "jp2"])
def test_16_bits_are_scaled_to_8(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"grey.{suffix}"
    if suffix == "pgm":
        path.write_bytes(b"P5 56 56 65535\n" + (GREY.astype(">u2") * 257).tobytes())
    else:
        Image.fromarray(GREY.astype(np.uint16) * 257).save(path, **({"irreversible": False} if suffix == "jp2" else {}))
    assert np.abs(opened(path)[..., 0].astype(int) - GREY).max() <= 1


def test_either_order_of_bytes_is_read(tmp_path: Path) -> None:
    Image.fromarray(GREY.astype(np.uint16) * 257).save(tmp_path / "little.tif")
    little = (tmp_path / "little.tif").read_bytes()
    Image.frombytes("I;16B", (56, 56), (GREY.astype(">u2") * 257).tobytes()).save(tmp_path / "big.tif")
    assert (tmp_path / "big.tif").read_bytes() != little
    assert np.array_equal(opened(tmp_path / "big.tif"), opened(tmp_path / "little.tif"))


def test_16_bits_a_channel_keep_their_colours(tmp_path: Path) -> None:
    pixel = struct.pack(">3H", 200 * 257, 100 * 257, 50 * 257)
    rows = b"".join(b"\0" + pixel * 56 for _ in range(56))
    _write_png(tmp_path / "deep.png", 56, 56, zlib.compress(rows), depth=16)
    assert np.abs(opened(tmp_path / "deep.png").astype(int) - (200, 100, 50)).max() <= 1


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (np.full((56, 56), 0.5, np.float32), "not_8_bit"),
        (np.full((56, 56), 100_000, np.int32), "not_8_bit"),
        (np.full((56, 56), np.nan, np.float32), "not_finite"),
        (np.full((56, 56), -np.inf, np.float32), "not_finite"),
    ],
)
def test_what_has_no_meaning_in_8_bits_is_refused(tmp_path: Path, pixels: np.ndarray, reason: str) -> None:
    Image.fromarray(pixels).save(tmp_path / "odd.tif")
    assert refused(tmp_path / "odd.tif").reason == reason


def tiff(pixels: np.ndarray, bits: int, sample_format: int) -> bytes:
    """A little-endian TIFF of one strip."""
    height, width = pixels.shape
    data = pixels.tobytes()
    tags = ((256, width), (257, height), (258, bits), (259, 1), (262, 1), (273, 8), (277, 1), (278, height))
    entries = [*tags, (279, len(data)), (339, sample_format)]
    table = b"".join(struct.pack("<HHIHH", tag, 3, 1, value, 0) for tag, value in entries)
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(entries)) + table + bytes(4)


@pytest.mark.parametrize(("sample_format", "reason"), [(1, None), (2, "not_8_bit")])
def test_only_pixels_without_a_sign_are_shown(tmp_path: Path, sample_format: int, reason: str | None) -> None:
    (tmp_path / "grey.tif").write_bytes(tiff(GREY.astype("<u2") * 257, 16, sample_format))
    outcome = open_image(tmp_path / "grey.tif", WIDE)
    assert (outcome.reason if isinstance(outcome, MediaError) else None) == reason


def test_pictures_of_12_bits_have_a_range_of_their_own(tmp_path: Path) -> None:
    values = np.full(56 * 56, 2_048)
    packed = np.stack([values[::2] >> 4, (values[::2] & 15) << 4 | values[1::2] >> 8, values[1::2] & 255], 1)
    (tmp_path / "grey.tif").write_bytes(
        tiff(packed.astype(np.uint8).reshape(56, 84), 12, 1).replace(
            struct.pack("<HHIHH", 256, 3, 1, 84, 0), struct.pack("<HHIHH", 256, 3, 1, 56, 0)
        )
    )
    assert np.abs(opened(tmp_path / "grey.tif").astype(int) - 128).max() <= 1


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_lies_on_white(tmp_path: Path, mode: str) -> None:
    picture = Image.new("RGBA", (56, 56), (0, 0, 0, 0))
    picture.paste((255, 0, 0, 255) if mode != "LA" else (0, 0, 0, 255), (0, 0, 28, 56))
    suffix = "gif" if mode == "P" else "png"
    (picture if mode == "P" else picture.convert(mode)).save(tmp_path / f"half.{suffix}")
    array = opened(tmp_path / f"half.{suffix}")
    assert array[:, 40:].min() >= 250 and array[:, :16, 1].max() <= 10


def test_colours_for_print_are_converted(tmp_path: Path) -> None:
    Image.new("CMYK", (56, 56), (0, 255, 255, 0)).save(tmp_path / "print.jpg")
    assert opened(tmp_path / "print.jpg")[20, 20].tolist() == pytest.approx([255, 0, 0], abs=8)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_their_exif_says(tmp_path: Path, orientation: int) -> None:
    picture = Image.new("RGB", (112, 56), (90, 90, 90))
    picture.paste((0, 200, 0), (0, 0, 30, 20))
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.save(tmp_path / "photo.png", exif=exif)
    array = opened(tmp_path / "photo.png")
    assert array.shape[:2] == ((56, 112) if orientation < 5 else (112, 56))
    rows, columns = {1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0)}[
        orientation
    ]
    assert array[rows * 5, columns * 5].tolist() == pytest.approx([0, 200, 0], abs=30)


def _write_png(path: Path, width: int, height: int, data: bytes, depth: int = 8) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b""))


@pytest.mark.parametrize(
    "size", [(8_945, 8_945), (12_000, 12_000), (60_000, 60_000), (2**31 - 1, 2**31 - 1), (MOST_PIXELS + 1, 1)]
)
def test_a_bomb_is_refused_by_its_header(tmp_path: Path, size: tuple[int, int]) -> None:
    _write_png(tmp_path / "bomb.png", *size, zlib.compress(b"\0" * 1_000))
    assert refused(tmp_path / "bomb.png").reason == "too_large"


@pytest.mark.parametrize("size", [(100_000, 1), (1, 100_000), (1, 1), (3, 2_000), (1, 50), (4_000, 7)])
def test_the_budget_holds_for_strips(tmp_path: Path, size: tuple[int, int]) -> None:
    budget = Budget()
    Image.new("RGB", size, (9, 9, 9)).save(tmp_path / "strip.png")
    height, width = opened(tmp_path / "strip.png", budget).shape[:2]
    assert height * width <= budget.max_pixels and height % 28 == 0 and width % 28 == 0
    assert max(height, width) <= 200 * min(height, width)


@given(
    st.integers(1, 10**6),
    st.integers(1, 10**6),
    st.integers(1, 2_000),
    st.integers(1, 200),
    st.sampled_from([14, 28, 32]),
)
@example(1, 100_000, 256, 4, 28)
def test_no_shape_is_larger_than_the_budget(height: int, width: int, most: int, least: int, factor: int) -> None:
    budget = Budget(max_pixels=max(most, least) * factor**2, min_pixels=least * factor**2)
    fit_height, fit_width = frame_size(height, width, budget, factor)
    assert fit_height % factor == 0 and fit_width % factor == 0 and min(fit_height, fit_width) >= factor
    assert fit_height * fit_width <= budget.max_pixels
    assert (fit_height >= fit_width) == (height >= width) or fit_height == fit_width


def broken(folder: Path) -> dict[str, Any]:
    """Pictures over which Pillow raises something else than its own errors."""
    Image.new("RGB", (40, 40)).save(folder / "whole.png")
    png = (folder / "whole.png").read_bytes()
    return {
        "chunk.png": png.replace(b"IDAT", b"iDAT"),
        "length.png": png[:33] + b"\xff\xff\xff\xff" + png[37:],
        "crc.png": png[:-1] + b"\0",
        "text.pbm": b"P1 40 x\n" + b"0 1 " * 100,
        "short.ppm": b"P6 40 40 255\n\0\0",
        "maximum.pgm": b"P5 4 4 0\n" + bytes(16),
        "icon.xpm": b'/* XPM */\nstatic char *x[] = {\n"4 4 1 1",\n"a c #12",\n"aaaa"};\n',
        "words.jpg": b"<html>404</html>",
        "program.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n",
    }


def test_no_broken_picture_raises(tmp_path: Path) -> None:
    for name, data in broken(tmp_path).items():
        (tmp_path / name).write_bytes(data)
        outcome = open_image(tmp_path / name, WIDE)
        assert isinstance(outcome, np.ndarray) or outcome.reason in ("unreadable", "undecodable"), name
        assert isinstance(outcome, np.ndarray) or outcome.detail, name
    assert isinstance(open_image(tmp_path / ("x" * 300 + ".png"), WIDE), MediaError)
