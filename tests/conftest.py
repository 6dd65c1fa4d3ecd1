"""Fixtures that several floors share."""

from __future__ import annotations

import numpy as np
import pytest

from adar_viz.trace import Trace

T, DIM, USERS, ITEMS, DRAWS = 50, 16, 40, 240, 48
GENRES = ("drama", "comedy", "noir", "western", "space", "music")


def _planted_embeddings(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Items around one centre for each genre; each user between two of them."""
    centre = rng.standard_normal((len(GENRES), DIM))
    genre = rng.integers(len(GENRES), size=ITEMS)
    item = 0.35 * (centre[genre] + 0.6 * rng.standard_normal((ITEMS, DIM)))
    weight = rng.dirichlet(np.full(len(GENRES), 0.4), size=USERS)
    return weight @ centre * 0.9, item, genre


def _training(rng: np.random.Generator) -> dict[str, np.ndarray]:
    epoch, quantile = np.arange(1, 21), np.array([0.05, 0.25, 0.5, 0.75, 0.95])
    middle = -2.5 + 1.5 * (1 - np.exp(-epoch / 6))
    recall = 0.2 * (1 - np.exp(-epoch / 5)) + 0.002 * rng.standard_normal(20)
    recall[::2] = np.nan
    return {
        "epoch": epoch,
        "quantile": quantile,
        "hardness": middle[:, None] + np.array([-1.6, -0.7, 0.0, 0.6, 1.3]),
        "timestep_quantile": np.linspace(24, 14, 20)[:, None] + np.array([-6.0, -3, 0, 4, 9]),
        "diffused_hardness": 0.6 * middle[:, None] + np.array([-1.2, -0.5, 0.0, 0.4, 0.9]),
        "loss": np.exp(-epoch / 8) * 0.6 + 0.1,
        "metric_name": np.array(["ndcg@20", "recall@20"]),
        "metric": np.stack([recall * 0.5, recall], axis=1),
    }


def _drawn() -> dict[str, np.ndarray]:
    """Drawn negatives that grow harder, and more often false: 20 % at first, 40 % in the end."""
    rng, spread = np.random.default_rng(2), np.array([-1.2, -0.5, 0.0, 0.5, 1.2])
    grown = 1 - np.exp(-np.arange(1, 21) / 6)
    rate = 0.2 + 0.2 * grown
    group = rate[:, None] + np.array([-0.1, 0.0, 0.1])
    side = np.array([-0.03, 0.03])
    return {
        "negative_score": 0.4 * grown[:, None] + 0.8 * grown[:, None] * spread,
        "positive_score": 2.0 * grown[:, None] + 0.6 * grown[:, None] * spread,
        "catalogue_score": -0.5 * grown[:, None] + grown[:, None] * spread,
        "negative_percentile": np.clip(0.5 + 0.3 * grown[:, None] + 0.15 * spread, 0, 1),
        "gradient_weight": 0.5 - 0.3 * grown[:, None] + 0.1 * grown[:, None] * spread,
        "gradient_weight_mean": 0.52 - 0.3 * grown,
        "false_negative": rate,
        "false_negative_interval": rate[:, None] + side,
        "false_negative_by_activity": group[:, ::-1],
        "false_negative_by_activity_interval": group[:, ::-1, None] + side,
        "false_negative_by_popularity": group,
        "false_negative_by_popularity_interval": group[..., None] + side,
        "false_negative_gradient": rate + 0.1,
        "drawn_by_popularity": rng.dirichlet([5.0, 5.0, 5.0], size=20),
        "judged_draws": np.full(20, 4000.0),
        "synthetic_share": np.full(20, 0.5),
        "synthetic_own": np.full(20, 0.25),
        "synthetic_distance": np.full(20, 0.1),
        "user_group_activity": np.array([[3.0, 9.0], [10.0, 30.0], [31.0, 90.0]]),
        "item_group_popularity": np.array([[0.0, 4.0], [5.0, 20.0], [21.0, 200.0]]),
    }


def _snapshots(query: np.ndarray, item: np.ndarray) -> dict[str, np.ndarray]:
    """Snapshots of every fourth item and of 12 users: noise that settles where all end, each turned at random."""
    rng = np.random.default_rng(1)
    epoch, chosen, users = np.array([0, 1, 2, 4, 8, 20]), np.arange(0, ITEMS, 4), np.arange(12)
    start = 0.1 * rng.standard_normal(item.shape)
    share = (1 - np.exp(-epoch / 5))[:, None, None]
    turn = np.linalg.qr(rng.standard_normal((len(epoch), DIM, DIM)))[0]
    items, queries = (share * item + (1 - share) * start) @ turn, (0.02 + share) * query[users] @ turn
    scores, rank = queries @ items.swapaxes(1, 2), np.argsort(np.argsort(-(query[users] @ item.T), axis=1), axis=1)
    plane = np.linalg.svd(item - item.mean(axis=0), full_matrices=False)[2][:2].T
    return {
        "snapshot_epoch": epoch,
        "snapshot_item": chosen,
        "snapshot_item_embedding": items[:, chosen].astype("f4"),
        "snapshot_rms": np.sqrt((items**2).mean(axis=(1, 2))),
        "snapshot_user": users,
        "snapshot_user_embedding": queries.astype("f4"),
        "snapshot_user_mean": scores.mean(axis=2),
        "snapshot_user_sd": scores.std(axis=2),
        "snapshot_user_negative": rng.integers(-1, ITEMS, size=(len(epoch), len(users), 16)),
        "snapshot_user_observed": (rank % 3 == 0) & (rank < ITEMS // 4),
        "snapshot_user_liked": rank < ITEMS // 5,
        "item_map": item @ plane,
        "snapshot_item_map": ((items @ turn.swapaxes(1, 2)) @ plane)[:, chosen],
    }


@pytest.fixture(scope="session")
def law_trace() -> Trace:
    """A trace drawn from the law of the score, with NumPy alone: 120 pairs, 3 walks of one pair, 240 items.

    The rule is `margin`: the expected score wanted of the negative is 1.5 below the positive's.
    """
    rng = np.random.default_rng(0)
    query, item, genre = _planted_embeddings(rng)
    alpha_bar = np.concatenate([[1.0], np.cumprod(1 - np.linspace(1e-4, 0.02, T) * 1000 / T)])
    scores = query @ item.T
    user = np.repeat(np.arange(USERS), 3)
    positive = np.argsort(-scores, axis=1)[:, [0, 6, 18]].ravel()
    s = scores[user, positive]
    sigma = float(np.sqrt((item**2).mean()))
    noise = np.linalg.norm(query[user], axis=1) * sigma
    wanted = np.clip((s - 1.5) / np.where(s > 0, s, np.nan), 0, 1)
    alpha_bar_star = np.nan_to_num(wanted**2)
    unclamped = np.searchsorted(-alpha_bar, -alpha_bar_star)
    timestep = np.clip(unclamped, round(0.05 * T), round(0.95 * T))
    a, b = np.sqrt(alpha_bar), np.sqrt(1 - alpha_bar)
    draws = rng.standard_normal((len(s), T + 1, DRAWS))
    walk_pair = np.array([0, 0, 0])
    eps = np.concatenate([rng.standard_normal((2, DIM)), np.random.default_rng(5).standard_normal((1, DIM))]) * sigma
    walk = a[:, None] * item[positive[0]] + b[:, None] * eps[:, None, :]
    arrays = {
        "alpha_bar": alpha_bar,
        "pair_user": user,
        "pair_item": positive,
        "pair_score": s,
        "query_norm": noise / sigma,
        "noise": noise,
        "mean": scores.mean(axis=1)[user],
        "sd": scores.std(axis=1)[user],
        "boundary": (scores.mean(axis=1) + 1.28 * scores.std(axis=1))[user],
        "transition_timestep": timestep,
        "transition_alpha_bar": alpha_bar_star,
        "clamped": timestep != unclamped,
        "score": (a[None, :, None] * s[:, None, None] + noise[:, None, None] * b[None, :, None] * draws).astype("f4"),
        "walk_pair": walk_pair,
        "walk_source": np.array(["forward", "reverse", "renoise"]),
        "walk": walk.astype("f4"),
        "walk_prediction": (0.5 * (walk + item[positive[0]])).astype("f4"),
        "walk_query": query[user[walk_pair]].astype("f4"),
        "item_label": np.array([f"i{i}" for i in range(ITEMS)]),
        "item_title": np.array([f"{GENRES[g].title()} of the {i}th Night" for i, g in enumerate(genre)]),
        "item_genre": np.array([GENRES[g] for g in genre]),
        "item_popularity": rng.integers(1, 200, size=ITEMS),
        "item_embedding": item.astype("f4"),
        "user_label": np.array([f"u{u}" for u in range(USERS)]),
        **_training(rng),
        **_drawn(),
        **_snapshots(query, item),
    }
    meta = {
        "run": "law",
        "dataset": "planted",
        "data_checksum": "0" * 64,
        "backbone": "mf(dim=16)",
        "negatives": "adar(source='forward', target=margin(delta=1.5))",
        "seed": 0,
        "version": "0.1.0",
        "schedule": {"name": "linear", "T": T},
        "target": {"name": "margin", "delta": 1.5, "unit": "score"},
        "boundary": {"name": "quantile", "z": 1.28},
        "sigma": sigma,
        "source": "forward",
        "maps": {"method": "planted", "null_drift": 0.1},
    }
    return Trace(meta, arrays)
