"""Public data sets by name: where they come from, on what terms, and how their ratings are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class KnownSet:
    """A public data set.

    Attributes
    ----------
    name : str
        What people call it, and the folder that it is looked for in (unless ``folder`` says otherwise).
    what : str
        One line about it.
    terms : str
        Licence or terms of use, as its owners state them.
    citation : str
        What to cite.
    format : str
        Its format, one of `adar_viz.datasets.FORMATS`; "" where several are in use.
    min_rating : float or None
        A rating of at least this much is read as a like unless asked otherwise.
    url, sha256 : str or None
        Official address and checksum of the archive; None where there is no stable address
        whose checksum is known for certain. Such sets are fetched by hand.
    folder : str
        Name of the folder, where it is not ``name``.
    """

    name: str
    what: str
    terms: str
    citation: str
    format: str = ""
    min_rating: float | None = None
    url: str | None = None
    sha256: str | None = None
    folder: str = ""


_GROUPLENS = (
    "Research use only, no commercial use without permission, no endorsement by the University of Minnesota implied; "
)
_MOVIELENS = (
    "F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. "
    "ACM Transactions on Interactive Intelligent Systems 5, 4: 19:1-19:19. https://doi.org/10.1145/2827872"
)
_AMAZON = "Ruining He and Julian McAuley. 2016. Ups and Downs. WWW. https://doi.org/10.1145/2872427.2883037"
_S3REC = "Kun Zhou et al. 2020. S3-Rec. CIKM. https://doi.org/10.1145/3340531.3411954"
_DENS = "Riwei Lai et al. 2023. Disentangled Negative Sampling for Collaborative Filtering. WSDM."
_AHNS = "Riwei Lai et al. 2024. Adaptive Hardness Negative Sampling for Collaborative Filtering. AAAI."
_NONE = "None stated by those who publish the files; ask before passing them on."
_FILES = "https://files.grouplens.org/datasets/movielens"

_SETS = (
    KnownSet(
        "ml-latest-small",
        "MovieLens latest-small, release of September 2018. A rolling release: GroupLens may replace it, and then its "
        "checksum no longer fits and `get` refuses it",
        _GROUPLENS + "redistribution under the same terms only.",
        _MOVIELENS,
        "movielens-csv",
        4.0,
        f"{_FILES}/ml-latest-small.zip",
        "696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436",
    ),
    KnownSet(
        "ml-100k",
        "MovieLens 100K",
        _GROUPLENS + "no redistribution without permission.",
        _MOVIELENS,
        "movielens-udata",
        4.0,
        f"{_FILES}/ml-100k.zip",
        "50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229",
    ),
    KnownSet(
        "ml-1m",
        "MovieLens 1M; also as sequences without ratings, where the folder holds sequences.txt",
        _GROUPLENS + "no redistribution without permission.",
        _MOVIELENS,
        "",
        4.0,
        f"{_FILES}/ml-1m.zip",
        "a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20",
    ),
    KnownSet(
        "gowalla",
        "Check-ins, the split of LightGCN",
        _NONE,
        "Eunjoon Cho, Seth Myers, Jure Leskovec. 2011. Friendship and Mobility. KDD. Split: Xiangnan He et al. 2020. "
        "LightGCN. SIGIR. https://doi.org/10.1145/3397271.3401063",
        "lightgcn",
    ),
    KnownSet("amazon-beauty", "Reviews, S3-Rec's 5-core sequences", _NONE, f"{_AMAZON} and {_S3REC}", "sequence"),
    KnownSet("amazon-toys", "Reviews, S3-Rec's 5-core sequences", _NONE, f"{_AMAZON} and {_S3REC}", "sequence"),
    KnownSet("lastfm-seq", "Listening, S3-Rec's sequences", _NONE, _S3REC, "sequence"),
    KnownSet("dens-beauty", "Amazon Beauty, the split of DENS", _NONE, f"{_AMAZON} and {_DENS}", "lightgcn"),
    KnownSet("dens-toy", "Amazon Toys, the split of DENS", _NONE, f"{_AMAZON} and {_DENS}", "lightgcn"),
    KnownSet("dens-baby", "Amazon Baby, the split of DENS", _NONE, f"{_AMAZON} and {_DENS}", "lightgcn"),
    KnownSet("dens-lastfm", "LastFM, a split that leaks: for the lesson about leaks only", _NONE, _DENS, "lightgcn"),
    KnownSet("ahns-tool", "Amazon Tools, the split of AHNS", _NONE, f"{_AMAZON} and {_AHNS}", "lightgcn"),
    KnownSet(
        "coat",
        "Coats: training ratings of chosen items, test ratings of uniformly random ones",
        _NONE,
        "Tobias Schnabel et al. 2016. Recommendations as Treatments. ICML. "
        "https://proceedings.mlr.press/v48/schnabel16.html",
        "coat",
        4.0,
    ),
    KnownSet(
        "jester5k",
        "Jokes rated from -10 to 10 by 5,000 users; 1,473 of them rated all 100",
        "Research use; acknowledge Goldberg et al. The jokes themselves are not read: some offend.",
        "Ken Goldberg et al. 2001. Eigentaste. Information Retrieval 4, 133-151. "
        "https://doi.org/10.1023/A:1011419012209",
        "jester",
        5.0,
    ),
    KnownSet(
        "jester-complete",
        "The 1,473 users of jester5k who rated all jokes: every like is known",
        "As jester5k.",
        "As jester5k.",
        "jester",
        5.0,
        folder="jester5k",
    ),
)
KNOWN: Mapping[str, KnownSet] = {known.name: known for known in _SETS}
"""All of them by name. The synthetic world ("synthetic") is not among them: it is made, not found."""
