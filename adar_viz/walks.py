"""Pairs and walks of a finished run, looked at through a lens.

A *lens* is an ADAR sampler whose transition rule is used to analyse a run, whichever sampler trained it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from adar_viz.batches import PairRows, SequenceRows
from adar_viz.core import Backbone, Context, Encoded
from adar_viz.diffusion import Denoiser, add_noise, ancestral, denoising_loss, glide, x0_from_noise
from adar_viz.known import KnownPositives
from adar_viz.negatives import ADAR
from adar_viz.negatives.sources import Renoise


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


def describe_lens(lens: ADAR) -> dict[str, Any]:
    """Return the facts of a trace's meta that come from the sampler."""
    names = {"schedule": {"name": lens.schedule.name, "T": lens.num_timesteps}}
    facts = {"sigma": float(lens.sigma), "source": type(lens.source).__name__.lower(), "clamp": list(lens.clamp)}
    return {**names, **facts}


def _walk(lens: ADAR, denoiser: Denoiser, x0: Tensor, query: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    """Walk each x_0 by each source; renoised as the lens does it, or as `Renoise` does by default."""
    schedule, T = lens.schedule, lens.num_timesteps
    source = lens.source if isinstance(lens.source, Renoise) else Renoise()
    every = [torch.full((len(x0),), t, device=x0.device) for t in range(T + 1)]
    eps = torch.randn(x0.shape, generator=generator, device=x0.device)

    denoise = denoiser.given(query)
    forward = torch.stack([add_noise(x0, t, schedule, eps) for t in every], 1)
    start = torch.randn(x0.shape, generator=generator, device=x0.device)
    chain = [x for _, x, _ in ancestral(denoise, start, schedule, generator=generator)]
    beyond = [(t + max(1, round(source.beyond * T))).clamp(max=T) for t in every]
    renoise = [
        glide(denoise, add_noise(x0, later, schedule, eps), later, t, schedule, steps=source.steps)
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
