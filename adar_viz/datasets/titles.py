"""Readable titles for the films of the synthetic world."""

# ruff: noqa: SIM905  (eight words on a line are easier to read and to change than eight literals)
from __future__ import annotations

import numpy as np
from jaxtyping import Int, Shaped

GENRES = (
    "Drama",
    "Comedy",
    "Thriller",
    "Romance",
    "Adventure",
    "Science Fiction",
    "Crime",
    "Fantasy",
    "Mystery",
    "Animation",
    "Documentary",
    "Western",
)
"""From the most common to the rarest."""

_FIRST = {
    "Drama": "Silent Broken Distant Quiet Unspoken Borrowed Fading Fragile".split(),
    "Comedy": "Awkward Cheerful Reluctant Clumsy Accidental Hungry Unlucky Splendid".split(),
    "Thriller": "Hidden Cold Final Watched Locked Sleepless Double Burning".split(),
    "Romance": "Tender Secret Lasting Summer Moonlit Second Promised Gentle".split(),
    "Adventure": "Lost Golden Wild Uncharted Daring Northern Boundless Restless".split(),
    "Science Fiction": "Orbital Synthetic Quantum Stellar Parallel Frozen Magnetic Infinite".split(),
    "Crime": "Crooked Stolen Guilty Marked Counterfeit Smoking Ruthless Nameless".split(),
    "Fantasy": "Enchanted Ancient Crystal Forgotten Winged Silver Whispering Eternal".split(),
    "Mystery": "Missing Veiled Curious Shadowed Unsigned Vanishing Scarlet Sealed".split(),
    "Animation": "Tiny Rainbow Singing Bouncing Marvellous Paper Dancing Brave".split(),
    "Documentary": "Living Untold Vanished Working Hidden Common Changing Deep".split(),
    "Western": "Dusty Lonesome Iron Outlaw Burnt Wandering Copper Ragged".split(),
}
_SECOND = {
    "Drama": "Harbour Winter Letters House Mothers River Daughters Silence".split(),
    "Comedy": "Wedding Neighbours Holiday Roommates Landlord Parade Dinner Cousins".split(),
    "Thriller": "Signal Witness Corridor Pursuit Deadline Stairwell Alibi Midnight".split(),
    "Romance": "Hearts Waltz Paris Promise Garden Sunset Strangers Kiss".split(),
    "Adventure": "Expedition Island Compass Voyage Summit Treasure Jungle Frontier".split(),
    "Science Fiction": "Colony Horizon Machine Paradox Station Comet Memory Gravity".split(),
    "Crime": "Heist Ledger Syndicate Alley Verdict Jewels Informer Bank".split(),
    "Fantasy": "Kingdom Dragon Sword Forest Prophecy Throne Mirror Sorcerer".split(),
    "Mystery": "Manuscript Guest Lighthouse Portrait Clockmaker Cipher Lake Inheritance".split(),
    "Animation": "Penguins Orchestra Robot Balloon Mice Circus Kite Cloud".split(),
    "Documentary": "Oceans Archives Glaciers Cities Voices Harvest Coral Mountains".split(),
    "Western": "Canyon Saddle Sheriff Prairie Stagecoach Mesa Revolver Railroad".split(),
}


def film_titles(genre: Int[np.ndarray, "item 2"], rng: np.random.Generator) -> Shaped[np.ndarray, " item"]:
    """Make a title with a year for each film, from the words of its two genres; no title comes twice.

    Parameters
    ----------
    genre : Int[np.ndarray, "item 2"]
        Places in `GENRES`.
    rng : numpy Generator
        Draws words and years (1950 to 1999: the world begins in 2000).
    """
    word = rng.integers(8, size=(len(genre), 2))
    year = rng.integers(1950, 2000, size=len(genre))
    titles: list[str] = []
    seen: dict[str, int] = {}
    for (g, h), (first, second), when in zip(genre.tolist(), word.tolist(), year.tolist(), strict=True):
        title = f"The {_FIRST[GENRES[g]][first]} {_SECOND[GENRES[h]][second]}"
        seen[title] = part = seen.get(title, 0) + 1
        titles.append(f"{title}{f', Part {part}' if part > 1 else ''} ({when})")
    return np.array(titles)
