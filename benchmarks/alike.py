"""How everybody captures and encodes here: ours, the peers, and each stream. It imports nothing: the peers load it."""

FPS = 10
"""Pictures a second of screen and webcam, at most."""

PRESET, CRF = "superfast", 28
"""x264's preset and quality; with tune=zerolatency and one thread."""

RATE_TOLD = 24
"""Pictures a second that x264 believes in. Its CRF gives a slower video more bits for each picture; ours names no rate, which
PyAV takes for 24, so the peers say the same. With the true 10, ffmpeg's webcam had a quantizer 4 lower and twice the bits."""

SEGMENT_S = 2
"""Seconds of a segment, and so of a group of pictures."""

AUDIO_BITRATE = 48_000
"""AAC's bits a second; mono, 48 kHz, libavcodec's fast coder."""
