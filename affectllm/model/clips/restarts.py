"""Packets at which a decoder can begin anew: nothing that comes later refers to a picture before them."""

from __future__ import annotations

from collections.abc import Iterator

_INSTANT = {"h264": frozenset({5}), "hevc": frozenset({19, 20})}
"""Codec → types of the units that hold an instantaneous refresh (IDR). Other key pictures may be followed by pictures
that are shown before them and refer to what was before them."""
_PICTURES = {"h264": range(1, 6), "hevc": range(32)}
CODECS = frozenset(_INSTANT)


def restarts(codec: str, packet: bytes, extradata: bytes | None) -> bool:
    """Return whether the picture in a packet is an instantaneous refresh.

    Args:
        codec: ``h264`` or ``hevc``.
        packet: its bytes.
        extradata: of the codec, which says how a packet is divided into units; None where start codes do.
    """
    for first in _heads(codec, packet, extradata or b""):
        kind = first & 0x1F if codec == "h264" else (first >> 1) & 0x3F
        if kind in _PICTURES[codec]:
            return kind in _INSTANT[codec]
    return False


def _heads(codec: str, packet: bytes, extradata: bytes) -> Iterator[int]:
    """Yield the first byte of each unit of a packet (ISO/IEC 14496-15, or annex B of the codec)."""
    place = 4 if codec == "h264" else 21  # of the size of lengths, in a record of version 1
    if len(extradata) <= place or extradata[0] != 1:
        begin = packet.find(b"\0\0\1")
        while 0 <= begin < len(packet) - 3:
            yield packet[begin + 3]
            begin = packet.find(b"\0\0\1", begin + 3)
        return
    size, begin = (extradata[place] & 3) + 1, 0
    while begin + size < len(packet):
        yield packet[begin + size]
        begin += size + int.from_bytes(packet[begin : begin + size], "big")
