"""Measures how loud the mini model speaks at both sample rates through the server's engine, and its clipping.

python -m mini.levels --sentences 10
"""

import asyncio

import numpy as np

from mini.heldout import CHINESE, ENGLISH
from mini.measures import Wave
from mini.program import Program
from mini.speaking import Server

RATES = (24000, 32000)
FULL_SCALE = 0.999


def loudness(wave: Wave) -> float:
    """Returns the mean power of `wave` (samples in -1 to 1) in dB relative to full scale."""
    return 10 * float(np.log10(max(float(np.square(wave).mean()), 1e-12)))


async def measure(server: Server, texts: list[str]) -> None:
    """Speaks `texts` in each voice and sample rate, and prints a line of figures for each.

    The figures are the mean level, the largest difference of a sentence's level to its level at 24 kHz, the
    peak, and the number of clipped samples.
    """
    async with server.running():
        for name in ("exampleA", "exampleB"):
            voice, levels = server.voice(name), {}
            for rate in RATES:
                said = [await server.say(text, voice, seed=42, sample_rate=rate) for text in texts]
                waves = [np.concatenate(one.segments) for one in said]
                levels[rate] = np.array([loudness(wave) for wave in waves])
                peak = max(float(np.abs(wave).max()) for wave in waves)
                clipped = sum(int((np.abs(wave) >= FULL_SCALE).sum()) for wave in waves)
                off = np.abs(levels[rate] - levels[RATES[0]]).max()
                print(
                    f"{name} {rate} Hz  {levels[rate].mean():6.1f} dB  off by at most {off:.1f} dB  "
                    f"peak {peak:.3f}  full-scale samples {clipped}",
                    flush=True,
                )


def main() -> None:
    parser = Program(__doc__)
    parser.add_argument("--sentences", type=int, default=10)
    args = parser.parse_args()
    texts = [*CHINESE[: args.sentences], *ENGLISH[: args.sentences]]
    asyncio.run(measure(Server(args.folder), texts))


if __name__ == "__main__":
    main()
