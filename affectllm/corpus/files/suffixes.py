"""File suffixes of clips and pictures: one list for every builder.

What FFmpeg or Pillow opens, less what needs a program beside them (PostScript), holds no picture (data of instruments)
or is raw data without a header. Nothing is opened here, and neither library is imported.
"""

from __future__ import annotations

FILMS = (
    *(".mp4", ".avi", ".mkv", ".mov", ".webm", ".flv"),  # what corpora ship
    *(".m4v", ".3gp", ".3g2", ".ts", ".mts", ".m2ts", ".m2t", ".mpg", ".mpeg", ".mpe", ".mpv", ".m1v", ".m2v", ".mod"),
    *(".vob", ".wmv", ".asf", ".ogv", ".ogm", ".ogx", ".rm", ".rmvb", ".divx", ".xvid", ".f4v", ".mxf", ".gxf", ".qt"),
    *(".mj2", ".mjpg", ".mjpeg", ".mk3d", ".dv", ".dif", ".dav", ".amv", ".nut", ".nsv", ".ivf", ".y4m", ".wtv"),
    *(".h261", ".h263", ".h264", ".264", ".avc", ".h265", ".265", ".hevc", ".h266", ".266", ".vvc", ".obu", ".vc1"),
    *(".ism", ".ismv", ".psp", ".insv", ".lrv", ".trp", ".tod", ".bik", ".roq", ".fli", ".flc", ".viv", ".ifv", ".ivr"),
)
"""Films, with or without a sound track."""
SOUNDS = (
    *(".wav", ".mp3", ".flac", ".m4a", ".ogg", ".opus"),  # what corpora ship
    *(".wave", ".w64", ".rf64", ".bwf", ".aif", ".aiff", ".aifc", ".aac", ".adts", ".m4b", ".m4r", ".isma", ".amr"),
    *(".awb", ".weba", ".mka", ".oga", ".spx", ".wma", ".ac3", ".eac3", ".ec3", ".ac4", ".dts", ".dtshd", ".mlp"),
    *(".thd", ".au", ".snd", ".caf", ".mp1", ".mp2", ".mpa", ".m2a", ".mpga", ".ra", ".ram", ".tta", ".wv", ".ape"),
    *(".mpc", ".tak", ".shn", ".ofr", ".voc", ".gsm", ".sph", ".nist", ".sf", ".ircam", ".dsf", ".dff", ".3ga", ".oma"),
    *(".aa3", ".at3", ".aax", ".aa", ".aea", ".qcp", ".vqf", ".sln", ".g722", ".722", ".g729", ".sbc", ".msbc", ".lc3"),
    *(".avr", ".paf", ".fap", ".pvf", ".qoa", ".bonk", ".osq", ".wsd", ".aptx", ".al", ".ul", ".dss", ".act", ".rso"),
)
"""Sounds."""
PICTURES = (
    *(".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif"),  # what corpora ship
    *(".jpe", ".jfif", ".mpo", ".apng", ".dib", ".tif", ".tiff", ".avif", ".avifs", ".jp2", ".j2k", ".j2c", ".jpc"),
    *(".jpf", ".jpx", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".tga", ".icb", ".vda", ".vst", ".ico", ".cur", ".icns"),
    *(".pcx", ".dcx", ".qoi", ".xbm", ".xpm", ".dds", ".sgi", ".rgb", ".rgba", ".bw", ".im", ".iim", ".msp", ".psd"),
    *(".pxr", ".ras", ".blp", ".ftc", ".ftu", ".gbr", ".pcd", ".fit", ".fits"),
)
"""Pictures, moving ones (GIF, APNG) among them."""
MEDIA = (*FILMS, *SOUNDS, *PICTURES)
"""All of them."""
