"""ADAR: noise a positive step by step, and take what stands where it turns negative."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import pad

from adar_viz.core import NO_ITEM, Context, Negatives, NegativeSampler, Observer, ignore
from adar_viz.diffusion import SCHEDULES, Denoiser, NoiseSchedule, denoising_loss
from adar_viz.events import Diffused, Transition
from adar_viz.negatives import candidates
from adar_viz.negatives.moments import CatalogueMoments
from adar_viz.negatives.sources import SOURCES, Forward, Noiseless, Source, Walk, noise_like
from adar_viz.negatives.uniform import Uniform
from adar_viz.transition import (
    Boundary,
    Fixed,
    Margin,
    Quantile,
    Random,
    ScoreAware,
    ScoredPair,
    first_timestep_below,
    timestep_of,
)

DENOISER_ROWS = 256
"""Rows of each step, evenly spaced ones (up to twice as many), that the denoiser trains on: more cost time.

On embeddings of ml-1m, 1024 rows gave an error smaller by less than a hundredth after one epoch and after three, and by
1.6 % after ten (with a denoiser twice as wide; one seed)."""


class ADAR(nn.Module):
    """Adaptive diffusion-based augmentation (arXiv 2601.01448), in our reconstruction.

    1. Score the positive, and find the user's decision boundary (`scored_pair`).
    2. A score-aware function of the pair says which alpha_bar is wanted; t* is the timestep that has
       it, clamped (`transition`).
    3. The source makes x_{t*} of the positive's embedding x_0 (`diffuse`).
    4. Grounded, the candidate nearest to x_{t*} is the row's negative; otherwise x_{t*} itself is, beside
       sampled ones (`sample`).

    Embeddings are detached on the way in and x_{t*} on the way out: the denoiser never
    moves the recommender, nor the recommender the denoiser.

    Parameters
    ----------
    dim
        Width of the backbone's embeddings.
    source
        How x_{t*} is made: ``forward``, ``reverse``, ``renoise``, ``noiseless`` (a control), or one of
        their objects.
    target
        The score-aware function (`adar_viz.transition`), or `Random`.
    boundary
        Score below which a pair counts as negative; `Threshold` aims at it, traces show it.
    schedule
        ``linear``, ``cosine``, ``sigmoid`` with ``num_timesteps``, or a `NoiseSchedule`.
    ground
        A pool of real items: the negative is the candidate nearest to x_{t*} by cosine, and keeps
        its gradient (our extension). None: x_{t*} itself, synthetic, as in the paper.
    beside
        Sampled negatives: used alone in the warm-up, and beside each synthetic one.
    weight
        Lambda: weight of the synthetic negative, each sampled one having 1; the row's loss is
        their weighted mean. Without effect when grounded.
    warmup
        Epochs without generated negatives: at the start every score is about 0 and t* means nothing.
    literal
        Diffuse with unit noise instead of noise of the catalogue's root mean square.
    clamp
        Smallest and largest t*, as shares of T.
    already_negative
        Rows with ``s <= max(b, 0)``: ``clamp`` leaves them to the target (one that has no answer, as most
        for ``s <= 0``, gets the smallest timestep); ``skip`` gives their generated negative weight 0.
    learning_rate
        Of the denoiser's own Adam. ``forward`` needs no denoiser and trains none.
    generator
        Source of the denoiser's first weights.

    Notes
    -----
    The paper's theorem, score-aware function and constants were not available to us; the defaults
    are choices of ours. A forward-noised synthetic negative brings, in expectation, no contrast with
    other items (Stein's lemma), so sampled ones stay beside it.
    """

    alpha_bar: Tensor

    def __init__(
        self,
        dim: int,
        *,
        source: str | Source = "forward",
        target: ScoreAware | Random | None = None,
        boundary: Boundary | None = None,
        schedule: str | NoiseSchedule = "linear",
        num_timesteps: int = 50,
        ground: NegativeSampler | None = Uniform(16),
        beside: NegativeSampler = Uniform(1),
        weight: float = 1.0,
        warmup: int = 5,
        literal: bool = False,
        clamp: tuple[float, float] = (0.05, 0.95),
        already_negative: Literal["clamp", "skip"] = "clamp",
        learning_rate: float = 1e-3,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if source not in SOURCES if isinstance(source, str) else isinstance(source, type) or not callable(source):
            raise ValueError(f"source must be one of {', '.join(SOURCES)}, or an object that is called; got {source!r}")
        if not isinstance(target, ScoreAware | Random | None):
            raise ValueError(f"target must be a score-aware function, such as Margin(); got {target!r}")
        if boundary is not None and (isinstance(boundary, type) or not hasattr(boundary, "of")):
            raise ValueError(f"boundary must be a Constant() or a Quantile(); got {boundary!r}")
        if isinstance(schedule, str) and schedule not in SCHEDULES:
            raise ValueError(f"schedule must be one of {', '.join(SCHEDULES)}; got {schedule!r}")
        if not (isinstance(clamp, tuple | list) and len(clamp) == 2 and 0 <= clamp[0] <= clamp[1] <= 1):
            raise ValueError(f"clamp must be two shares of T, 0 <= low <= high <= 1; got {clamp}")
        for name, sampler in (("ground", ground), ("beside", beside)):
            if isinstance(sampler, type) or not isinstance(sampler, NegativeSampler | None):
                raise ValueError(f"{name} must be a negative sampler, such as Uniform(16); got {sampler!r}")
        if beside is None:
            raise ValueError("beside must be a negative sampler, such as Uniform(1); got None")
        if already_negative not in ("clamp", "skip"):
            raise ValueError(f"already_negative must be 'clamp' or 'skip'; got {already_negative!r}")
        if not (weight >= 0 and warmup >= 0 and learning_rate > 0):
            raise ValueError(
                "weight and warmup must be at least 0 and learning_rate above 0; "
                f"got {weight}, {warmup} and {learning_rate}"
            )
        self.dim = dim
        self.source: Source = SOURCES[source]() if isinstance(source, str) else source
        self.target: ScoreAware | Random = target or Margin()
        self.boundary: Boundary = boundary or Quantile()
        self.schedule = SCHEDULES[schedule](num_timesteps) if isinstance(schedule, str) else schedule
        self.num_timesteps = self.schedule.num_timesteps
        self.ground, self.beside, self.weight, self.warmup = ground, beside, weight, warmup
        self.literal, self.clamp, self.already_negative = literal, tuple(clamp), already_negative
        self.learning_rate = learning_rate
        with torch.random.fork_rng(enabled=generator is not None):
            if generator is not None:
                torch.manual_seed(int(torch.randint(2**62, (), generator=generator)))
            self.denoiser = Denoiser(dim, dim, schedule=self.schedule)
        self.optimizer = torch.optim.Adam(self.denoiser.parameters(), lr=learning_rate, fused=True)
        self.register_buffer("alpha_bar", self.schedule.alpha_bar.to(torch.get_default_dtype()))
        self.catalogue = CatalogueMoments(dim)
        self._last: dict[str, Tensor] = {}

    def sample(self, context: Context, *, observe: Observer = ignore) -> Negatives:
        """Find t* for each row and return what stands there.

        Cost: that of the source, plus O(row x dim^2) for the moments of the user's scores and, when
        grounded, O(row x pool x dim). Nothing grows with the catalogue.
        """
        self.refresh(context)
        if context.epoch < self.warmup:
            self._last = {}
            return self.beside.sample(context, observe=observe)
        x, negative_already = self.diffuse(context, observe)
        if self.ground is not None:
            found = self._nearest(context, self.ground, x, observe)
        else:
            found = self._join(self.beside.sample(context, observe=observe), x)
        if self.already_negative == "clamp" and (self.ground is not None or self.weight == 1):
            return found
        weight = torch.ones_like(found.embedding[..., 0]) if found.weight is None else found.weight.clone()
        if self.ground is None:
            weight[:, -1] = self.weight
        if self.already_negative == "skip":
            weight[:, -1] = weight[:, -1] * ~negative_already
        return replace(found, weight=weight)

    @torch.no_grad()
    def diffuse(self, context: Context, observe: Observer = ignore) -> tuple[Tensor, Bool[Tensor, " row"]]:
        """Return x_{t*} in the space of the embeddings, and which rows were negative already."""
        self.refresh(context)
        encoded, generator = context.encoded, context.generator
        pair, positive = self.scored_pair(context), context.positive_embedding.detach()
        timestep, wanted, clamped = self.transition(context, pair)
        x = self.source(Walk(positive, encoded.query, self.sigma, timestep, self.denoiser, self.schedule, generator))
        negative_already = pair.score <= pair.boundary.clamp(min=0)
        self._last = {
            "timestep": timestep.mean(dtype=x.dtype),
            "clamped": clamped.mean(dtype=x.dtype),
            "negative_already": negative_already.mean(dtype=x.dtype),
        }
        if observe is not ignore:
            observe(Transition(timestep, wanted, pair.boundary, pair.score, clamped))
            observe(Diffused(timestep, x, encoded.score(x.unsqueeze(1)).squeeze(1)))
        return x, negative_already

    @torch.no_grad()
    def scored_pair(self, context: Context) -> ScoredPair:
        """Return all that a score-aware function may look at, for each row."""
        mean, sd = self.catalogue.of_scores(context)
        noise = context.encoded.query.norm(dim=-1) * self.sigma
        return ScoredPair(context.positive_score.detach(), noise, self.boundary.of(mean, sd), mean, sd)

    def transition(
        self, context: Context, pair: ScoredPair
    ) -> tuple[Int[Tensor, " row"], Float[Tensor, " row"], Bool[Tensor, " row"]]:
        """Return t*, the alpha_bar* that was asked for, and whether clamping changed it."""
        low, high = (round(share * self.num_timesteps) for share in self.clamp)
        if isinstance(self.target, Random):
            uniform = torch.rand(pair.score.shape, generator=context.generator, device=pair.score.device)
            timestep = self.target.timestep(uniform, low, high)
            return timestep, self.alpha_bar[timestep], torch.zeros_like(timestep, dtype=torch.bool)
        wanted = self.target.alpha_bar(pair)
        if context.encoded.scorer is None or isinstance(self.target, Fixed):
            asked = timestep_of(wanted, self.alpha_bar)
        else:
            asked = self._bisect(context, pair)
            wanted = self.alpha_bar[asked]
        timestep = asked.clamp(low, high)
        return timestep, wanted, (timestep != asked) | wanted.isnan()

    def _bisect(self, context: Context, pair: ScoredPair, probes: int = 8) -> Int[Tensor, " row"]:
        """Find t* for a scorer without a law: where the mean score of a few noised copies falls to g(s)."""
        assert isinstance(self.target, ScoreAware)
        positive = context.positive_embedding.unsqueeze(1)
        noise = noise_like(positive.expand(-1, probes, -1), context.generator) * self.sigma

        def mean_score(timestep: Tensor) -> Tensor:
            alpha_bar = self.alpha_bar[timestep][:, None, None]
            noised = alpha_bar.sqrt() * positive + (1 - alpha_bar).sqrt() * noise
            return context.encoded.score(noised).mean(1)

        found: Tensor = first_timestep_below(mean_score, self.target.wanted(pair), self.num_timesteps)
        return found

    def _nearest(self, context: Context, pool: NegativeSampler, x: Tensor, observe: Observer) -> Negatives:
        """Return the candidate nearest to ``x`` by cosine, with its gradient."""
        with torch.no_grad():  # only the chosen one needs its gradient
            candidate = candidates.draw(pool, context, observe)
            towards = replace(context.encoded, query=x, scorer=None).score(candidate.embedding)
            best = (towards / candidate.embedding.norm(dim=-1).clamp(min=1e-12)).argmax(1, keepdim=True)
            item = candidate.item.gather(1, best)
        return Negatives(context.encoded.lookup(item), item)

    @staticmethod
    def _join(sampled: Negatives, x: Float[Tensor, "row dim"]) -> Negatives:
        """Put the synthetic negative beside the sampled ones, as the last."""
        if len(sampled.item) != len(x):
            raise ValueError("beside must give each row negatives of its own; got some that all rows share")
        item = pad(sampled.item, (0, 1), value=NO_ITEM)
        weight = None if sampled.weight is None else pad(sampled.weight, (0, 1), value=1.0)
        embedding = torch.cat([sampled.embedding, x.unsqueeze(1)], 1)
        return Negatives(embedding, item, weight=weight, auxiliary=sampled.auxiliary)

    def refresh(self, context: Context) -> None:
        """Measure the catalogue, once an epoch."""
        if (dim := context.encoded.query.shape[-1]) != self.dim:
            raise ValueError(f"dim must be that of the backbone, {dim}; got {self.dim}")
        self.catalogue.refresh(context)

    @property
    def sigma(self) -> Float[Tensor, ""]:
        """Standard deviation of the noise, in the space of the embeddings."""
        return torch.ones_like(self.catalogue.rms) if self.literal else self.catalogue.rms

    def update(self, context: Context, negatives: Negatives) -> Mapping[str, Tensor | float]:
        """Train the denoiser on the batch's positives; report t*, shares of clamped rows, and its loss."""
        report, self._last = self._last, {}
        if not self.trains_denoiser:
            return report
        with torch.no_grad():
            # Spaced, since the rows of a sequence follow one another.
            some = slice(None, None, max(1, len(context.positive) // DENOISER_ROWS))
            x0 = context.encoded.lookup(context.positive[some]) / self.sigma
            condition = context.encoded.query[some] / self.sigma
        loss = denoising_loss(self.denoiser, x0, condition, generator=context.generator)
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.optimizer.step()
        return {**report, "denoiser": loss.detach()}

    @property
    def trains_denoiser(self) -> bool:
        """Whether the source needs a denoiser: ``forward`` and ``noiseless`` do not."""
        return not isinstance(self.source, Forward | Noiseless)

    def get_extra_state(self) -> dict[str, Any]:
        """Return what a checkpoint needs beyond weights and buffers."""
        return {"optimizer": self.optimizer.state_dict()}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take back what `get_extra_state` gave."""
        self.optimizer.load_state_dict(state["optimizer"])
