"""Draw films that are hard to tell apart: one actor before one wall who says one sentence; and scenes of texture."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

FPS, SIZE = 25, (320, 240)
_SENTENCE = 77  # seed of the mouth that all films of a studio share, sooner or later, wider or less


def studio(seed: int, seconds: float = 3.0) -> Any:
    """Draw frames uint8 ``[time, height, width, 3]`` of the actor, who moves and blinks otherwise in each."""
    dice = np.random.default_rng([1, seed])
    count = int(seconds * FPS)
    sway = [_course(dice, count, period) for period in (30, 24, 40, 18, 18, 22)]
    mouth, blinks = _mouth(dice, count), dice.random(count) < 0.02
    lids = np.convolve(blinks, np.ones(4))[:count] > 0
    noise = dice.normal(0, 2, (8, SIZE[1], SIZE[0], 1))
    smile, brow, strength = dice.uniform(-6, 6), dice.uniform(-4, 4), dice.uniform(0.4, 1.4)
    frames = []
    for at in range(count):
        x, y, turn, gaze, lift, mood = (float(one[at]) * strength for one in sway)
        pose = (4 * x, 3 * y, 3 * turn, 2 * gaze, brow + 3 * lift, smile + 3 * mood)
        frames.append(np.clip(_face(pose, float(mouth[at]), bool(lids[at])) + noise[at % 8], 0, 255).astype(np.uint8))
    return np.stack(frames)


def _course(dice: Any, count: int, period: int) -> Any:
    """Return a smooth random course with mean 0 and standard deviation 1."""
    knots = dice.normal(0, 1, count // period + 4)
    places = np.linspace(0.5, len(knots) - 2.5, count) + dice.random()
    return np.interp(places, np.arange(len(knots)), knots) + 0.15 * np.convolve(
        dice.normal(0, 1, count + 8), np.ones(9) / 3, "valid"
    )


def _mouth(dice: Any, count: int) -> Any:
    """Return mouth openings of the one sentence, 3 to 5 a second, each varied a little in time and width."""
    syllables = np.random.default_rng(_SENTENCE)
    moments, begin = np.arange(count) / FPS, dice.uniform(0.1, 0.5)
    openings, pace = np.zeros(count), dice.uniform(0.9, 1.1)
    while begin < count / FPS - 0.2:
        length, wide = syllables.uniform(0.15, 0.35) * pace, syllables.uniform(4, 14) * dice.uniform(0.7, 1.3)
        openings += wide * np.exp(-(((moments - begin) / (length / 2.5)) ** 2))
        begin += length * dice.uniform(0.9, 1.1)
    return openings


class Looks(NamedTuple):
    """Constant features of a drawn face; sizes in pixels."""

    skin: tuple[int, ...] = (214, 176, 148)
    hair: tuple[int, ...] = (60, 44, 36)
    clothes: tuple[int, ...] = (50, 60, 90)
    wide: float = 50
    long: float = 75
    apart: float = 22
    eye: float = 10
    fringe: float = 80


ACTOR = Looks()


def portrait(seed: int) -> Any:
    """Draw one picture uint8 ``[height, width, 3]`` of somebody before the wall of the studio."""
    dice = np.random.default_rng([3, seed])
    colours = [tuple(map(int, dice.integers(low, high, 3))) for low, high in ((120, 230), (20, 140), (20, 200))]
    sizes = (dice.uniform(low, high) for low, high in ((42, 58), (64, 84), (17, 26), (7, 13), (50, 90)))
    pose = tuple(dice.normal(0, deviation) for deviation in (6, 5, 4, 2, 4, 5))
    mouth = max(0.0, dice.normal(5, 6))
    drawn = _face(pose, mouth, bool(dice.random() < 0.1), Looks(*colours, *sizes))
    return np.clip(drawn + dice.normal(0, 2, drawn.shape), 0, 255).astype(np.uint8)


def _face(pose: tuple[float, ...], mouth: float, closed: bool, who: Looks = ACTOR) -> Any:
    x, y, turn, gaze, brow, smile = pose
    picture = Image.new("RGB", SIZE, (96, 112, 128))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((40, 20, 70, 120), fill=(120, 128, 136))  # a window on the wall
    draw.ellipse((80 + x / 2, 175, 240 + x / 2, 330), fill=who.clothes)
    draw.ellipse((160 - who.wide + x, 115 - who.long + y, 160 + who.wide + x, 115 + who.long + y), fill=who.skin)
    top = 105 - who.long + y
    draw.chord((156 - who.wide + x, top, 164 + who.wide + x, top + who.fringe + 10), 180, 360, fill=who.hair)
    for side in (-1, 1):
        at, high = 160 + side * who.apart + x + turn, 1 if closed else 0.6 * who.eye
        draw.ellipse((at - who.eye, 102 - high + y, at + who.eye, 102 + high + y), fill=(240, 236, 230))
        if not closed:
            draw.ellipse((at - 4 + gaze, 98 + y, at + 4 + gaze, 106 + y), fill=(50, 40, 40))
        draw.line((at - 12, 88 + y - brow, at + 12, 88 + y - brow / 2), fill=who.hair, width=4)
        corner, under = 160 + side * 20 + x + turn, 157 + y
        draw.line((corner, under, corner + side * 7, under - smile), fill=(110, 40, 44), width=3)
    nose = [(160 + x + turn, 108 + y), (152 + x + 2 * turn, 138 + y), (168 + x + 2 * turn, 138 + y)]
    draw.polygon(nose, tuple(round(0.93 * one) for one in who.skin))
    draw.ellipse((140 + x + turn, 155 + y, 180 + x + turn, 159 + y + mouth), fill=(140, 50, 56))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(1)), np.float32)


def scene(seed: int, seconds: float = 3.0) -> Any:
    """Draw frames of a textured view over which the camera drifts while things move through it."""
    dice = np.random.default_rng([2, seed])
    count, view = int(seconds * FPS), np.zeros((300, 380, 3))
    for cells in (6, 20, 70):
        grain = dice.integers(0, 255, (cells, cells, 3)).astype(np.uint8)
        view += np.asarray(Image.fromarray(grain).resize((380, 300), Image.Resampling.BICUBIC), np.float64) / 3
    drift = [np.cumsum(dice.normal(0, 0.5) + dice.normal(0, 0.3, count)) for _ in range(2)]
    things = [
        (dice.uniform(0, 240, 2), dice.normal(0, 3, 2), dice.uniform(10, 40), dice.integers(0, 255, 3))
        for _ in range(4)
    ]
    frames = []
    for at in range(count):
        x, y = (int(np.clip(30 + d[at], 0, 59)) for d in drift)
        frame = Image.fromarray(view[y : y + 240, x : x + 320].astype(np.uint8))
        draw = ImageDraw.Draw(frame)
        for place, speed, size, colour in things:
            left, top = place + speed * at * 0.5
            draw.ellipse((left, top, left + size, top + size), fill=tuple(map(int, colour)))
        frames.append(np.asarray(frame))
    return np.stack(frames)
