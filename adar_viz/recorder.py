"""From events to a trace: the one bridge between making and showing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from adar_viz.batches import PairRows, SequenceRows
from adar_viz.core import Backbone, Context, Encoded
from adar_viz.datasets import Interactions
from adar_viz.diffusion import Denoiser, add_noise, ancestral, denoising_loss, glide, x0_from_noise
from adar_viz.draws import QUANTILES, ROWS, Draws, evenly
from adar_viz.events import Diffused, Drawn, Event, Transition
from adar_viz.known import KnownPositives
from adar_viz.negatives import ADAR
from adar_viz.snapshots import Snapshots, table_of
from adar_viz.trace import Trace
from adar_viz.training import EpochReport


class Recorder:
    """Watch a training: pass it as ``observe``, and tell it when an epoch ends.

    Everything is copied, no randomness is drawn, nothing is changed.

    Parameters
    ----------
    users, items : sequence of int
        Whose embeddings are kept in the snapshots.
    draws : Draws or None
        What sums up the drawn negatives; None looks at their scores alone.
    """

    def __init__(self, users: Sequence[int], items: Sequence[int], draws: Draws | None = None) -> None:
        self.snapshots, self.draws = Snapshots(users, items), draws or Draws()
        self.epochs: list[dict[str, Any]] = []
        self._timestep: list[Tensor] = []
        self._positive = torch.empty(0)
        self._diffused: list[Tensor] = []

    def __call__(self, event: Event) -> None:
        """Copy what is kept of an event."""
        if isinstance(event, Drawn):
            self.draws.see(event)
            self.snapshots.see(event)
        elif isinstance(event, Transition):
            some = evenly(len(event.timestep), ROWS, event.timestep.device)
            self._timestep.append(event.timestep[some].cpu())
            self._positive = event.positive_score[some].detach().cpu()
        elif isinstance(event, Diffused):  # of the rows whose Transition was just announced
            some = evenly(len(event.score), ROWS, event.score.device)
            self._diffused.append(event.score[some].detach().cpu() - self._positive)

    def snapshot(self, epoch: int, backbone: Backbone) -> None:
        """Copy the chosen embeddings as they are now; ``epoch`` counts the finished ones."""
        self.snapshots.take(epoch, backbone)

    def end_epoch(self, report: EpochReport, backbone: Backbone) -> None:
        """Sum the epoch up, and take a snapshot when one is due (ever more rarely: 1, 2, 3, 4, 6, 8, 12, …)."""
        self.epochs.append(
            {
                "epoch": report.epoch + 1,
                "loss": sum(report.losses.values()),
                "metrics": dict(report.metrics),
                "draws": self.draws.sum_up(),
                "timestep": _quantiles(self._timestep),
                "diffused": _quantiles(self._diffused),
            }
        )
        self._timestep, self._diffused = [], []
        if _is_due(report.epoch + 1):
            self.snapshot(report.epoch + 1, backbone)
        self.snapshots.forget()

    def state(self) -> dict[str, Any]:
        """Return all that was recorded, for a checkpoint."""
        return {"epochs": self.epochs, "snapshots": self.snapshots.taken}

    def restore(self, state: Mapping[str, Any], num_epochs: int) -> None:
        """Take back what `state` gave, as far as ``num_epochs`` finished epochs."""
        self.epochs = [e for e in state["epochs"] if e["epoch"] <= num_epochs]
        self.snapshots.restore(state["snapshots"], num_epochs)

    def arrays(self, metric: str) -> dict[str, np.ndarray]:
        """Return the arrays of the training and of the snapshots, the selecting ``metric`` first."""
        arrays: dict[str, np.ndarray] = {}
        if self.epochs:
            names = sorted({n for e in self.epochs for n in e["metrics"]}, key=lambda name: (name != metric, name))
            arrays |= {
                "epoch": np.array([e["epoch"] for e in self.epochs]),
                "loss": np.array([e["loss"] for e in self.epochs]),
                "quantile": np.array(QUANTILES),
                "timestep_quantile": torch.stack([e["timestep"] for e in self.epochs]).numpy(),
                "diffused_hardness": torch.stack([e["diffused"] for e in self.epochs]).numpy(),
                "metric_name": np.array(names),
                "metric": np.array([[e["metrics"].get(n, np.nan) for n in names] for e in self.epochs]),
            }
        return arrays | self.draws.arrays([e["draws"] for e in self.epochs]) | self.snapshots.arrays()


def catalogue_arrays(data: Interactions, backbone: Backbone) -> dict[str, np.ndarray]:
    """Return labels, titles, popularity and final embeddings of the whole catalogue."""
    blank = np.full(data.num_items, "")
    with torch.no_grad():
        embedding = table_of(backbone).cpu().numpy().astype(np.float32)
    return {
        "item_label": np.asarray(data.item_label, dtype=str),
        "item_title": blank if data.title is None else np.asarray(data.title, dtype=str),
        "item_genre": blank if data.genre is None else np.asarray(data.genre, dtype=str),
        "item_popularity": data.popularity(),
        "item_embedding": embedding,
        "user_label": np.asarray(data.user_label, dtype=str),
    }


@dataclass(frozen=True)
class PairsWatched:
    """Some observed pairs, encoded, with all that the transition says of them."""

    context: Context
    lens: ADAR
    arrays: dict[str, np.ndarray]


def watch_pairs(
    backbone: Backbone,
    lens: ADAR,
    rows: PairRows | SequenceRows,
    known: KnownPositives,
    *,
    num_pairs: int = 300,
    draws: int = 16,
    generator: torch.Generator,
) -> PairsWatched:
    """Walk observed pairs through all timesteps of the lens's schedule and record their scores.

    One noise draw serves all timesteps of a pair, so each (pair, draw) is one coherent walk, while
    the marginal at every timestep is exact. O(pairs x (dim + timesteps) x draws).
    """
    with torch.no_grad():
        context = _choose(backbone, rows, known, num_pairs, generator)
        encoded = context.encoded
        lens.catalogue.measure(context)  # the lens may have looked at another backbone before
        positive, pair = context.positive_embedding, lens.scored_pair(context)
        timestep, wanted, clamped = lens.transition(context, pair)
        alpha_bar = lens.alpha_bar
        shape = (*positive.shape[:1], draws, positive.shape[1])
        noise = lens.sigma * torch.randn(shape, generator=generator, device=positive.device)
        if encoded.scorer is None:
            noise_score = encoded.score(noise)[:, None, :]
            score = (
                alpha_bar.sqrt()[:, None] * pair.score[:, None, None] + (1 - alpha_bar).sqrt()[:, None] * noise_score
            )
        else:
            steps = [(a.sqrt() * positive[:, None] + (1 - a).sqrt() * noise) for a in alpha_bar]
            score = torch.stack([encoded.score(x) for x in steps], 1)
    tensors = {
        "pair_user": context.user,
        "pair_item": context.positive,
        "pair_score": pair.score,
        "query_norm": encoded.query.norm(dim=-1),
        "noise": pair.noise,
        "boundary": pair.boundary,
        "mean": pair.mean,
        "sd": pair.sd,
        "transition_timestep": timestep,
        "transition_alpha_bar": wanted,
        "clamped": clamped,
        "score": score.float(),
    }
    arrays = {name: value.detach().cpu().numpy() for name, value in tensors.items()}
    return PairsWatched(context, lens, {"alpha_bar": lens.schedule.alpha_bar.cpu().numpy(), **arrays})


def watch_walks(
    watched: PairsWatched,
    rows: PairRows | SequenceRows,
    backbone: Backbone,
    *,
    num_walks: int = 6,
    generator: torch.Generator,
) -> dict[str, np.ndarray]:
    """Record x_t of a few pairs that start above their boundary, by all three sources.

    A run whose negatives need no denoiser has none that is trained; then one is trained here, on
    the finished embeddings, which changes nothing of the run. Nothing is recorded for a backbone
    with a scorer of its own: whoever looks at a walk takes its scores for inner products.
    """
    lens, context = watched.lens, watched.context
    if context.encoded.scorer is not None:
        return {}
    above = np.flatnonzero(watched.arrays["pair_score"] > np.maximum(watched.arrays["boundary"], 0))
    chosen = (above if len(above) else np.arange(len(watched.arrays["pair_score"])))[:num_walks]
    index = torch.as_tensor(chosen, device=context.positive.device)
    query, x0 = context.encoded.query[index].detach(), context.positive_embedding[index].detach()
    denoiser = lens.denoiser
    if not lens.trains_denoiser:
        denoiser = train_denoiser(lens, rows, backbone, generator=generator)
    with torch.no_grad():
        walks = _walk(lens, denoiser, x0 / lens.sigma, query / lens.sigma, generator)
        predictions = [_predict(denoiser, walk, query / lens.sigma) for walk in walks.values()]
    return {
        "walk_pair": np.tile(chosen, len(walks)),
        "walk_source": np.repeat(list(walks), len(chosen)),
        "walk": (torch.cat(list(walks.values())) * lens.sigma).cpu().numpy(),
        "walk_prediction": (torch.cat(predictions) * lens.sigma).cpu().numpy(),
        "walk_query": query.repeat(len(walks), 1).cpu().numpy(),
    }


def train_denoiser(
    lens: ADAR, rows: PairRows | SequenceRows, backbone: Backbone, *, steps: int = 600, generator: torch.Generator
) -> Denoiser:
    """Train a denoiser on finished embeddings, which are encoded once: ``steps`` steps of ADAR's own update."""
    with torch.random.fork_rng():
        torch.manual_seed(int(torch.randint(2**62, (), generator=generator, device=generator.device)))
        denoiser = Denoiser(lens.dim, lens.dim, schedule=lens.schedule).to(lens.alpha_bar.device)
    optimizer = torch.optim.Adam(denoiser.parameters(), lr=lens.learning_rate, fused=True)
    with torch.no_grad():
        order = torch.randperm(len(rows), generator=generator, device=generator.device)
        batch = rows.batch(order[: 4 * rows.usual_batch_size].to(rows.user.device))
        encoded = backbone(batch)
        x0, query = encoded.lookup(batch.positive) / lens.sigma, encoded.query / lens.sigma
    for _ in range(steps):
        index = torch.randint(len(query), (min(512, len(query)),), generator=generator, device=generator.device)
        loss = denoising_loss(denoiser, x0[index], query[index], generator=generator)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimizer.step()
    return denoiser


def make_trace(meta: Mapping[str, Any], *groups: Mapping[str, np.ndarray]) -> Trace:
    """Put groups of arrays together."""
    return Trace(dict(meta), {name: array for group in groups for name, array in group.items()})


def _walk(lens: ADAR, denoiser: Denoiser, x0: Tensor, query: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    schedule, T = lens.schedule, lens.num_timesteps
    every = [torch.full((len(x0),), t, device=x0.device) for t in range(T + 1)]
    eps = torch.randn(x0.shape, generator=generator, device=x0.device)

    denoise = denoiser.given(query)
    forward = torch.stack([add_noise(x0, t, schedule, eps) for t in every], 1)
    start = torch.randn(x0.shape, generator=generator, device=x0.device)
    chain = [x for _, x, _ in ancestral(denoise, start, schedule, generator=generator)]
    beyond = [(t + max(1, round(0.25 * T))).clamp(max=T) for t in every]
    renoise = [
        glide(denoise, add_noise(x0, later, schedule, eps), later, t, schedule, steps=3)
        for t, later in zip(every, beyond, strict=True)
    ]
    return {"forward": forward, "reverse": torch.stack(chain[::-1], 1), "renoise": torch.stack(renoise, 1)}


def _predict(denoiser: Denoiser, walk: Tensor, query: Tensor) -> Tensor:
    """Estimate x_0 from each x_t of a walk; at t = 0 it is x_0 itself."""
    denoise, estimates = denoiser.given(query), [walk[:, 0]]
    for t in range(1, walk.shape[1]):
        every = torch.full((len(walk),), t, device=walk.device)
        estimates.append(x0_from_noise(walk[:, t], denoise(walk[:, t], every), every, denoiser.schedule))
    return torch.stack(estimates, 1)


def _choose(
    backbone: Backbone, rows: PairRows | SequenceRows, known: KnownPositives, num_pairs: int, generator: torch.Generator
) -> Context:
    """Encode some random rows."""
    order = torch.randperm(len(rows), generator=generator, device=generator.device)[:num_pairs]
    batch = rows.batch(order.to(rows.user.device))
    encoded: Encoded = backbone(batch)
    keep = torch.randperm(len(batch.user), generator=generator, device=generator.device)[:num_pairs]
    keep = keep.sort().values.to(batch.user.device)
    encoded = replace(encoded, query=encoded.query[keep])
    return Context(batch.user[keep], batch.positive[keep], encoded, known, generator, epoch=2**31)


def _quantiles(values: list[Tensor]) -> Tensor:
    levels = torch.tensor(QUANTILES)
    return torch.quantile(torch.cat(values).float(), levels) if values else torch.full_like(levels, torch.nan)


def _is_due(epoch: int) -> bool:
    """Whether an epoch is one of 1, 2, 3, 4, 6, 8, 12, 16, 24, …: two for each doubling."""
    return epoch < 4 or any(epoch == base << shift for base in (2, 3) for shift in range(1, 20))


def describe_lens(lens: ADAR) -> dict[str, Any]:
    """Return the facts of a trace's meta that come from the sampler."""
    names = {"schedule": {"name": lens.schedule.name, "T": lens.num_timesteps}}
    facts = {"sigma": float(lens.sigma), "source": type(lens.source).__name__.lower(), "clamp": list(lens.clamp)}
    return {**names, **facts}
