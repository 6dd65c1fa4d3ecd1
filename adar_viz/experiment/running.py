"""One configuration to one run folder: train, watch, test, and keep everything to draw it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric
from torch import nn
from tqdm.auto import tqdm

from adar_viz import checkpoint as checkpoints
from adar_viz.evaluation import evaluate
from adar_viz.experiment.configuration import Experiment, ExperimentError
from adar_viz.experiment.folder import (
    CHECKPOINT,
    HISTORY,
    METRICS,
    RECORDED,
    TRACE,
    Result,
    claim,
    default_folder,
    describe,
    history,
    read_result,
    release,
    write_json,
    write_text,
)
from adar_viz.experiment.parts import Parts, prepare
from adar_viz.experiment.watching import count_false_negatives, recorder_of, trace_of
from adar_viz.recorder import Recorder
from adar_viz.training import EpochReport, TrainingPlan, seeded


def run(
    experiment: Experiment,
    folder: Path | str,
    *,
    progress: bool = True,
    num_pairs: int = 300,
    fabric: Fabric | None = None,
) -> Result:
    """Train, test once with the best epoch's weights, and write the run folder.

    The folder holds ``config.json`` (every default resolved, versions, data checksum),
    ``metrics.json``, ``history.csv``, ``trace.npz`` and the checkpoint. A run that was cut off goes
    on where it was; one that is finished is not run again, but a trace that is gone is made again
    from the checkpoint; one that fails or is stopped before its first checkpoint leaves no folder.

    Raises
    ------
    ExperimentError
        The folder holds a run of another configuration, or a file of the run is missing or cut short.
    """
    if num_pairs < 1:
        raise ValueError(f"num_pairs must be at least 1; got {num_pairs}")
    fabric = fabric or Fabric(accelerator="cpu", devices=1)
    parts = prepare(experiment)
    folder, config = Path(folder), {**describe(experiment, parts), "pairs": num_pairs}
    claim(folder, config)
    if _is_finished(folder):
        return read_result(folder)
    try:
        recorder = recorder_of(parts)
        parts.rehearse()
        parts = parts.to(fabric.device)
        reports = list(_train(experiment, parts, folder, recorder, progress, fabric))
    except BaseException:  # an interrupt, too
        release(folder)
        raise
    if fabric.is_global_zero:
        _finish(experiment, parts, folder, config, recorder, reports, num_pairs)
    fabric.barrier()
    return read_result(folder)


def demo_run(data: str = "synthetic", seed: int = 0, negatives: str = "adar", *, runs: Path = Path("runs")) -> Path:
    """Return the folder of the run that figures and notebooks are drawn from, training it if needed.

    It trains matrix factorisation, with 32 dimensions so that the trace stays small, on ADAR's
    default negatives or those of another sampler. Another configuration gets a folder of its own.
    """
    plan = TrainingPlan(seed=seed, l2=0.03, learning_rate=3e-3, epochs=120)
    experiment = Experiment(data=data, negatives=negatives, dim=32, plan=plan)
    return run(experiment, default_folder(experiment, runs, "demo")).folder


def _is_finished(folder: Path) -> bool:
    """Whether there is nothing left to do; False where the trace is to be made again from the checkpoint."""
    if not (folder / METRICS).exists():
        return False
    if not (folder / TRACE).exists() and not (folder / CHECKPOINT).exists():
        raise ExperimentError(
            f"{folder} must hold {TRACE}, or {CHECKPOINT} to make it from; got neither; "
            "delete the folder to train again"
        )
    return (folder / TRACE).exists()


def _train(
    experiment: Experiment, parts: Parts, folder: Path, recorder: Recorder, progress: bool, fabric: Fabric
) -> Iterator[EpochReport]:
    epochs = parts.fit(experiment.plan, checkpoint=folder / CHECKPOINT, observe=recorder, fabric=fabric)
    metric, recorded = experiment.plan.metric, None
    quiet = not (progress and fabric.is_global_zero)
    recorder.snapshot(0, parts.backbone)
    with tqdm(total=experiment.plan.epochs, unit="epoch", disable=quiet, desc=folder.name) as bar:
        for report in epochs:
            if report.resumed:
                # A finished epoch is only reported again; what was recorded of it comes from disk.
                recorded = recorded or checkpoints.load(folder / RECORDED)
                _recall(recorder, recorded, report.epoch + 1, folder)
            else:
                recorder.end_epoch(report, parts.backbone)
                if fabric.is_global_zero and report.metrics:
                    checkpoints.save(folder / RECORDED, recorder.state())
            bar.update()
            if report.metrics:
                bar.set_postfix_str(f"validation {metric} {report.metrics[metric]:.4f}")
            yield report


def _recall(recorder: Recorder, recorded: Mapping[str, Any], num_epochs: int, folder: Path) -> None:
    try:
        recorder.restore(recorded, num_epochs)
    except ValueError as error:
        raise ExperimentError(
            f"{folder / RECORDED} must reach as far as {CHECKPOINT}: {error}; delete the folder to train again"
        ) from error


def _finish(
    experiment: Experiment,
    parts: Parts,
    folder: Path,
    config: Mapping[str, Any],
    recorder: Recorder,
    reports: list[EpochReport],
    num_pairs: int,
) -> None:
    """Write the results; the metrics last, since they mark the run as finished."""
    backbone = parts.backbone
    assert isinstance(backbone, nn.Module)
    backbone.eval()
    best = next(r for r in reversed(reports) if r.is_best)
    test = evaluate(backbone, parts.split, "test").metrics
    parts = parts.to("cpu")  # its draws are the same on every machine
    trace_of(experiment, parts, folder.name, config, recorder, num_pairs).save(folder / TRACE)
    write_text(folder / HISTORY, history(reports).to_csv(index=False, float_format="%.6g"))
    metrics = {
        "validation": dict(best.metrics),
        "test": dict(test),
        "selected_on": "test" if parts.split.selects_on_test else "validation",
        "ratings": None if (rating := parts.split.train.rating) is None else [float(rating.min()), float(rating.max())],
        "best_epoch": best.epoch + 1,
        "epochs": len(reports),
        "seconds": sum(r.seconds for r in reports),
        "false_negatives": count_false_negatives(parts, seeded("cpu", experiment.plan.seed, 2**21)),
    }
    write_json(folder / METRICS, metrics)
