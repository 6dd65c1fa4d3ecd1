from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn

from adar_viz import checkpoint
from adar_viz.checkpoint import CheckpointError, load, save


def assert_equal(found: Any, expected: Any) -> None:
    """Equal in values and types, tensors also in dtype; a tuple comes back as a list."""
    if isinstance(expected, Tensor):
        assert isinstance(found, Tensor)
        assert found.dtype == expected.dtype
        assert torch.equal(found, expected)
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        for key, value in expected.items():
            assert_equal(found[key], value)
    elif isinstance(expected, list | tuple):
        assert isinstance(found, list)
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_equal(one, other)
    else:
        assert type(found) is type(expected)
        assert found == expected


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.lists(st.floats(width=32, allow_nan=False), max_size=3).map(torch.tensor),
    st.integers(-(2**63), 2**63 - 1).map(torch.tensor),
    st.booleans().map(torch.tensor),
)
NAMES = st.one_of(st.text("abc.é", min_size=1, max_size=3), st.integers(0, 5))
STATES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.tuples(inner, inner), st.dictionaries(NAMES, inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(state=STATES)
def test_nested_state_comes_back_as_it_was(state: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "nested.ckpt"
    save(path, state)
    assert_equal(load(path), state)


def test_an_optimiser_goes_on_as_if_never_stopped(tmp_path: Path) -> None:
    def trained(steps: int, start: Any = None) -> tuple[nn.Linear, torch.optim.Adam]:
        torch.manual_seed(0)
        model = nn.Linear(3, 2)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
        if start is not None:
            model.load_state_dict(start["model"])
            optimizer.load_state_dict(start["optimizer"])
        for _ in range(steps):
            optimizer.zero_grad()
            model(torch.ones(1, 3)).square().sum().backward()
            optimizer.step()
        return model, optimizer

    model, optimizer = trained(3)
    save(tmp_path / "c", {"model": model.state_dict(), "optimizer": optimizer.state_dict()})
    found = load(tmp_path / "c")
    assert list(found["optimizer"]["state"]) == [0, 1]  # not "0" and "1"
    resumed, _ = trained(2, found)
    straight, _ = trained(5)
    assert torch.equal(resumed.weight, straight.weight)
    assert torch.equal(resumed.bias, straight.bias)


def test_the_state_of_a_generator_comes_back(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(3)
    save(tmp_path / "c", generator.get_state())
    expected = torch.rand(5, generator=generator)
    generator.set_state(load(tmp_path / "c"))
    assert torch.equal(torch.rand(5, generator=generator), expected)


def test_shared_and_strided_tensors_are_written_whole(tmp_path: Path) -> None:
    table = torch.arange(12.0).view(3, 4)
    state = {"all": table, "same": table, "transposed": table.T, "column": table[:, 1], "weight": nn.Parameter(table)}
    save(tmp_path / "c", state)
    found = load(tmp_path / "c")
    for name, value in state.items():
        assert torch.equal(found[name], value), name
        assert not found[name].requires_grad


@pytest.mark.parametrize("keep", [0, 1, 8, 100, -1])
def test_a_truncated_file_is_refused(keep: int, tmp_path: Path) -> None:
    path = tmp_path / "c"
    save(path, {"weight": torch.arange(100.0), "epoch": 3})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match="expected a readable checkpoint"):
        load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="nothing-here"):
        load(tmp_path / "nothing-here")


def test_somebody_elses_file_is_refused(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(2)}, tmp_path / "c", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"expected a file marked 'adar_viz checkpoint 2'; got 'pt'"):
        load(tmp_path / "c")


def test_what_is_not_plain_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="/model/0: expected tensors and plain data; got object"):
        save(tmp_path / "c", {"model": [object()]})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("fails", ["save_file", "os.fsync", "os.replace"])
def test_a_save_that_fails_leaves_the_old_file(fails: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "c"
    save(path, {"epoch": 1})

    def stop(*arguments: Any, **options: Any) -> None:
        if fails == "save_file":
            Path(arguments[1]).write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(f"{checkpoint.__name__}.{fails}", stop)
    with pytest.raises(OSError, match="disk full"):
        save(path, {"epoch": 2})
    monkeypatch.undo()
    assert load(path) == {"epoch": 1}
    save(path, {"epoch": 3})  # and what the failure left behind is in nobody's way
    assert load(path) == {"epoch": 3}
    assert [file.name for file in tmp_path.iterdir()] == ["c"]


def test_processes_that_write_the_same_file_do_not_meet(tmp_path: Path) -> None:
    """Each writes a file of its own and renames it: readers see one of them, whole."""
    program = (
        "import sys; from pathlib import Path; import torch; from adar_viz.checkpoint import save\n"
        "for _ in range(150): save(Path(sys.argv[1]), {'mine': torch.full((2000,), int(sys.argv[2]))})"
    )
    path = tmp_path / "c"
    save(path, {"mine": torch.full((2000,), 0)})
    writers = [subprocess.Popen([sys.executable, "-c", program, str(path), str(number)]) for number in (1, 2)]
    while any(writer.poll() is None for writer in writers):
        assert load(path)["mine"].unique().numel() == 1
    assert [writer.wait() for writer in writers] == [0, 0]
