"""Find clips with the same sound or picture, whatever their codec, rate, size, level or length.

A clip is known by what ``landmarks``, ``motion`` and ``looks`` make of its sound, its film and its picture. That takes
the opening of the clip, so it is kept on disk by the content of the file.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from affectllm.corpus.leaks.media_content import Clip
from affectllm.errors import AffectError
from affectllm.model.clips.budget import SAMPLING_RATE, Budget
from affectllm.model.clips.media import MediaError, open_clip, open_image
from affectllm.model.fingerprints import looks, motion
from affectllm.model.fingerprints.landmarks import RATE, LandmarkIndex, Landmarks
from affectllm.model.fingerprints.landmarks import phases as sound_phases
from affectllm.run import cache_folder, digest

SAME_SOUND, SAME_PICTURE = "same sound", "same picture"
_VERSION = 2  # of what is kept on disk
_SOUND = Budget(max_seconds=600.0, long="trim")
_FILM = Budget(fps=20.0, max_frames=1200, max_pixels=160 * 160, min_pixels=16 * 16, max_seconds=60.0, long="trim")
_PICTURE = Budget(max_pixels=512 * 512, min_pixels=16 * 16)
_FACTOR = 4
_BENIGN = ("no_audio_stream", "silent", "too_short")  # a film has its picture all the same


class Print(NamedTuple):
    """The fingerprint of a clip; empty where it has no sound, film or picture to recognise it by."""

    sound: tuple[Landmarks, ...] = ()
    film: tuple[Any, ...] = ()
    picture: looks.Look | None = None


class Fingerprints:
    """Computes and caches fingerprints of clips.

    Args:
        folder: where they are kept; None means ``fingerprints/`` below the cache folder.

    Attributes:
        unknown: clips that have none, by reason (see ``MediaError``; ``uniform`` where nothing tells them apart).
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or cache_folder() / "fingerprints"
        self.unknown: Counter[str] = Counter()

    def prints(self, clips: Sequence[Clip]) -> list[Print]:
        """Return the fingerprint of each clip, in order.

        Raises:
            AffectError: when a fingerprint cannot be kept on disk.
        """
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            results = list(threads.map(self._print, clips))
        self.unknown.update(why for _, why in results if why)
        return [one for one, _ in results]

    def index(self, prints: Sequence[Print]) -> PrintIndex:
        """Return an index to compare other clips with these."""
        return PrintIndex(prints)

    def _print(self, clip: Clip) -> tuple[Print, str]:
        try:
            with open(clip.file, "rb") as stream:
                content = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:
            return Print(), "missing"
        ref = clip.ref
        file = self._folder / f"{digest([_VERSION, content, ref.modality, ref.start, ref.end])}.npz"
        if (stored := _load(file)) is not None:
            return stored, ""
        fingerprint, why = _fingerprint(clip)
        if not why:
            _save(file, fingerprint)
        return fingerprint, why


def _fingerprint(clip: Clip) -> tuple[Print, str]:
    """Compute a clip's fingerprint; also return why it has none, or ""."""
    path, ref, reasons = Path(clip.file), clip.ref, []
    if ref.modality == "image":
        pixels = open_image(path, _PICTURE, _FACTOR)
        return (Print(), pixels.reason) if isinstance(pixels, MediaError) else (Print(picture=looks.look(pixels)), "")
    sound: tuple[Landmarks, ...] = ()
    heard = open_clip(path, _SOUND, frames=False, sound=True, start=ref.start, end=ref.end)
    if isinstance(heard, MediaError):
        reasons.append(heard.reason)
    elif heard.sound is not None:
        sound = _heard(heard.sound)
    film: tuple[Any, ...] = ()
    if ref.modality == "video":
        seen = open_clip(path, _FILM, frames=True, sound=False, start=ref.start, end=ref.end, factor=_FACTOR)
        if isinstance(seen, MediaError):
            reasons.append(seen.reason)
        elif seen.frames is not None:
            film = tuple(motion.phases(seen.frames, seen.fps))
    if any(len(one.pairs) for one in sound) or any(map(len, film)):
        return Print(sound, film), ""
    return Print(), next((why for why in reasons if why not in _BENIGN), next(iter(reasons), "uniform"))


def _heard(sound: Any) -> tuple[Landmarks, ...]:
    import soxr

    return tuple(sound_phases(soxr.resample(sound, SAMPLING_RATE, RATE).astype(np.float32)))


class PrintIndex:
    """Index of clips that others are compared with.

    Args:
        prints: their fingerprints; ``matches`` refers to them by position.
    """

    def __init__(self, prints: Sequence[Print]) -> None:
        self._heard = [at for at, one in enumerate(prints) if one.sound]
        self._moving = [at for at, one in enumerate(prints) if one.film]
        self._seen = [at for at, one in enumerate(prints) if one.picture]
        # One grid is enough on this side: the other tries them all.
        self._sounds = LandmarkIndex([prints[at].sound[0] for at in self._heard])
        self._films = motion.MotionIndex([prints[at].film[0] for at in self._moving])
        self._pictures = looks.LookIndex([look for one in prints if (look := one.picture)])

    def matches(self, asked: Print) -> Iterator[tuple[int, str, float]]:
        """Yield position, kind and score of each indexed clip that matches, by its sound or else by its picture."""
        matched = set()
        for at, score in self._sounds.matches(asked.sound):
            matched.add(self._heard[at])
            yield self._heard[at], SAME_SOUND, score
        seen = [(self._moving[at], score) for at, score in self._films.matches(asked.film)]
        if asked.picture is not None:
            seen += [(self._seen[at], score) for at, score in self._pictures.matches(asked.picture)]
        for at, score in seen:
            if at not in matched:
                yield at, SAME_PICTURE, score


def _load(path: Path) -> Print | None:
    try:
        with np.load(path) as file:
            arrays = dict(file)
    except FileNotFoundError:
        return None
    except (
        OSError,
        ValueError,
        EOFError,
        zipfile.BadZipFile,
    ):  # of a copied cache or a full disk: it is made again
        return None
    seconds = arrays["seconds"].tolist()
    sounds = (Landmarks(arrays[f"pairs{n}"], arrays[f"frames{n}"], length) for n, length in enumerate(seconds))
    films = (arrays[f"film{n}"] for n in range(sum(name.startswith("film") for name in arrays)))
    picture = looks.Look(arrays["kept"], arrays["coarse"]) if "kept" in arrays else None
    return Print(tuple(sounds), tuple(films), picture)


def _save(path: Path, fingerprint: Print) -> None:
    arrays: dict[str, Any] = {f"film{n}": one for n, one in enumerate(fingerprint.film)}
    arrays |= {f"pairs{n}": one.pairs for n, one in enumerate(fingerprint.sound)}
    arrays |= {f"frames{n}": one.frames for n, one in enumerate(fingerprint.sound)}
    arrays["seconds"] = np.array([one.seconds for one in fingerprint.sound])
    if fingerprint.picture is not None:
        arrays |= fingerprint.picture._asdict()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            np.savez(file, **arrays)
        os.replace(file.name, path)
    except OSError as error:
        raise AffectError(
            f"a fingerprint cannot be kept: {error.strerror}", where=str(path), do="set AFFECTLLM_CACHE to a folder"
        ) from error
