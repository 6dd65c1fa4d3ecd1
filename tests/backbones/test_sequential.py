"""What every sequential backbone promises: nothing leaks from padding, later items or other rows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from adar_viz.backbones import GRU4Rec, SASRec
from adar_viz.backbones.history import move_left
from adar_viz.core import NO_ITEM, Batch, Encoded

USERS, ITEMS, DIM, LONGEST = 3, 20, 8, 6
Make = Callable[..., nn.Module]


def _make(cls: type[GRU4Rec] | type[SASRec], **options: object) -> Make:
    def make(seed: int = 0, **more: object) -> nn.Module:
        generator = torch.Generator().manual_seed(seed)
        return cls(USERS, ITEMS, DIM, history_length=LONGEST, generator=generator, std=0.5, **options, **more)  # type: ignore[arg-type]

    return make


BACKBONES = {
    "gru4rec": _make(GRU4Rec),
    "gru4rec deep": _make(GRU4Rec, num_layers=2, hidden_dim=5),
    "sasrec": _make(SASRec),
    "sasrec deep": _make(SASRec, num_blocks=3, num_heads=4),
    "sasrec bert": _make(SASRec, form="bert", num_heads=2),
}


@pytest.fixture(params=BACKBONES)
def make(request: pytest.FixtureRequest) -> Make:
    return BACKBONES[request.param]


def encode(backbone: nn.Module, *histories: list[int], pad_to: int | None = None) -> Encoded:
    """Encode histories given without padding."""
    length = max(pad_to or 0, *(len(h) for h in histories))
    history = torch.tensor([[NO_ITEM] * (length - len(h)) + h for h in histories])
    rows = sum(len(h) for h in histories)
    user, positive = torch.zeros(rows).long(), torch.ones(rows).long()
    encoded: Encoded = backbone(Batch(user, positive, history))
    return encoded


def test_rows_are_the_unpadded_positions_in_row_major_order(make: Make) -> None:
    backbone = make().eval()
    together = encode(backbone, [3, 1, 4], [5], [9, 2]).query
    alone = [encode(backbone, history).query for history in ([3, 1, 4], [5], [9, 2])]
    assert together.shape == (6, DIM)
    torch.testing.assert_close(together, torch.cat(alone))


def test_padding_changes_nothing(make: Make) -> None:
    backbone = make().eval()
    bare = encode(backbone, [3, 1, 4]).query
    torch.testing.assert_close(encode(backbone, [3, 1, 4], pad_to=LONGEST).query, bare)


def test_padding_and_other_rows_get_no_gradient(make: Make) -> None:
    backbone = make().eval()
    encode(backbone, [3, 1, 4], [7, 8, 9, 10, 11]).query[:3].square()[:, 0].sum().backward()
    gradient = backbone.item.weight.grad
    assert gradient.isfinite().all()
    assert gradient.abs().sum(1).nonzero().flatten().tolist() == [1, 3, 4]


def test_a_later_item_does_not_reach_back(make: Make) -> None:
    backbone = make().eval()
    first, second = (encode(backbone, [3, 1, last]).query for last in (4, 11))
    torch.testing.assert_close(first[:2], second[:2])
    assert not torch.allclose(first[2], second[2], atol=1e-3)


def test_an_earlier_item_reaches_forward(make: Make) -> None:
    backbone = make().eval()
    first, second = (encode(backbone, [start, 1, 4]).query for start in (3, 11))
    assert not torch.allclose(first[2], second[2], atol=1e-4)


def test_training_and_evaluation_agree_without_dropout(make: Make) -> None:
    backbone = make(dropout=0.0)
    trained = encode(backbone.train(), [3, 1, 4], [5]).query
    with torch.no_grad():
        torch.testing.assert_close(encode(backbone.eval(), [3, 1, 4], [5]).query, trained, atol=1e-5, rtol=1e-4)


def test_dropout_follows_the_global_seed(make: Make) -> None:
    backbone = make(dropout=0.5).train()
    with torch.random.fork_rng():
        queries = []
        for seed in (0, 0, 1):
            torch.manual_seed(seed)
            queries.append(encode(backbone, [3, 1, 4]).query)
    assert torch.equal(queries[0], queries[1])
    assert not torch.equal(queries[0], queries[2])


def test_one_table_is_read_and_scored(make: Make) -> None:
    backbone = make()
    encoded = encode(backbone, [3, 1, 4])
    assert encoded.table() is backbone.item.weight
    assert torch.equal(encoded.lookup(torch.tensor([2, 2])), backbone.item.weight[[2, 2]])


def test_no_history_at_all_makes_no_rows(make: Make) -> None:
    none = torch.full((2, 3), NO_ITEM)
    encoded = make()(Batch(torch.zeros(0).long(), torch.zeros(0).long(), none))
    assert encoded.query.shape == (0, DIM)


def test_l2_is_the_naive_sum_over_newest_positive_and_negatives(make: Make) -> None:
    backbone = make().requires_grad_(False)
    norm = backbone.item.weight.square().sum(1).tolist()
    history = torch.tensor([[NO_ITEM, 3], [5, 6]])
    batch = Batch(torch.zeros(3).long(), torch.tensor([1, 6, 2]), history)
    negative = torch.tensor([[7, 8], [9, NO_ITEM], [NO_ITEM, NO_ITEM]])
    expected = (norm[3] + norm[1] + (norm[7] + norm[8]) / 2) + (norm[5] + norm[6] + norm[9]) + (norm[6] + norm[2])
    torch.testing.assert_close(backbone.l2(batch, negative), torch.tensor(expected / 2 / 3))


def test_the_generator_decides_the_start(make: Make) -> None:
    first, second, other = make(seed=7).state_dict(), make(seed=7).state_dict(), make(seed=8).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_the_form_of_bert_by_hand() -> None:
    """Layer norm after each sum and on the input, GELU, four times as wide; heads are parts of the vector."""
    backbone = _make(SASRec, form="bert", num_blocks=1, num_heads=2)().requires_grad_(False).eval()
    (block,) = backbone.blocks.layers
    history = [3, 1, 4]
    x = backbone.input_norm(backbone.item.weight[history] + backbone.position.weight[-3:])
    query, key, value = torch.nn.functional.linear(
        x, block.self_attn.in_proj_weight, block.self_attn.in_proj_bias
    ).chunk(3, dim=-1)
    heads = []
    for part in torch.arange(DIM).chunk(2):
        weight = (query[:, part] @ key[:, part].T) / (DIM / 2) ** 0.5
        weight = weight.masked_fill(torch.ones(3, 3).triu(1).bool(), -torch.inf).softmax(-1)
        heads.append(weight @ value[:, part])
    x = block.norm1(x + block.self_attn.out_proj(torch.cat(heads, 1)))
    inner = block.linear1(x)
    assert inner.shape == (3, 4 * DIM)
    x = block.norm2(x + block.linear2(inner * (1 + torch.erf(inner / 2**0.5)) / 2))
    torch.testing.assert_close(encode(backbone, history).query, x)


def test_the_form_of_bert_drops_at_three_places_of_a_block() -> None:
    (block,) = SASRec(USERS, ITEMS, DIM, form="bert", num_blocks=1, dropout=0.5).blocks.layers
    assert (block.dropout.p, block.dropout1.p, block.dropout2.p, block.self_attn.dropout) == (0, 0.5, 0.5, 0.5)


def test_blocks_do_not_start_alike() -> None:
    first, second = SASRec(USERS, ITEMS, DIM).blocks.layers
    assert not torch.equal(first.linear1.weight, second.linear1.weight)


def test_move_left_by_hand() -> None:
    item, is_row = move_left(torch.tensor([[-1, -1, 4, 2], [7, 8, 9, 5], [-1, -1, -1, -1]]), longest=4)
    assert is_row.tolist() == [[True, True, False, False], [True] * 4, [False] * 4]
    assert item[is_row].tolist() == [4, 2, 7, 8, 9, 5]
    assert int(item.min()) >= 0


@pytest.mark.parametrize(
    ("history", "message"),
    [
        (None, "needs Batch.history; got None"),
        (torch.zeros(1, 7).long(), "at most history_length = 6 items; got 7"),
        (torch.tensor([[3, NO_ITEM]]), "padded on its left alone; got padding after an item"),
    ],
)
def test_impossible_histories_are_refused(make: Make, history: torch.Tensor | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()(Batch(torch.zeros(1).long(), torch.zeros(1).long(), history))


@pytest.mark.parametrize(
    ("cls", "options", "message"),
    [
        (SASRec, {"num_heads": 3}, "dim must be a multiple of num_heads = 3; got 64"),
        (SASRec, {"dropout": 1.0}, r"dropout must lie in \[0, 1\); got 1.0"),
        (SASRec, {"form": "post"}, "form must be 'pre_norm' or 'bert'; got 'post'"),
        (SASRec, {"num_blocks": 0}, "num_blocks must be at least 1; got 0"),
        (GRU4Rec, {"history_length": 0}, "history_length must be at least 1; got 0"),
        (GRU4Rec, {"dropout": -0.1}, r"dropout must lie in \[0, 1\); got -0.1"),
        (GRU4Rec, {"std": 0.0}, "std must be above 0; got 0.0"),
    ],
)
def test_impossible_options_are_refused(cls: type, options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cls(USERS, ITEMS, **options)
