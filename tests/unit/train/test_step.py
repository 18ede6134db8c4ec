"""Test the step alone: both updates against the formulas, with every loss, and an average by hand."""

import copy

import pytest
import torch
from torch import nn

from gan.objectives import LOSSES as FACTS
from gan.train.losses import LOSSES
from gan.train.step import (
    Game,
    MicroBatch,
    accumulate_d_gradients,
    accumulate_g_gradients,
    update_d,
    update_ema,
    update_g,
)


class Player(nn.Module):
    """A network of one layer."""

    def __init__(self, numbers: int):
        super().__init__()
        self.layer = nn.Linear(numbers, numbers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x.flatten(1))


@pytest.fixture
def players():
    torch.manual_seed(0)
    return Player(4), Player(4)


def game_of(G: nn.Module, D: nn.Module, loss: str) -> Game:
    return Game(lambda batch: G(batch.z).view(-1, 1, 2, 2), lambda images, batch: D(images).sum(1), loss)


def batch_of(count: int) -> MicroBatch:
    return MicroBatch(torch.randn(count, 1, 2, 2), None, torch.randn(count, 4))


def gradients(player: nn.Module) -> list[torch.Tensor]:
    return [parameter.grad.clone() for parameter in player.parameters()]


@pytest.mark.parametrize("loss", LOSSES)
def test_g_learns_from_the_loss_of_its_formula(loss, players):
    """G gets the logits of real images where the loss is paired, and none otherwise."""
    G, D = players
    batch, game = batch_of(6), game_of(*players, loss)
    accumulate_g_gradients(game, batch, game.generate(batch))
    got = gradients(G)
    G.zero_grad()
    asked = []
    on_real, on_fake = D(batch.real).sum(1).detach(), D(game.generate(batch)).sum(1)
    expected = LOSSES[loss].generator(on_real, on_fake)
    expected.backward()
    torch.testing.assert_close(got, gradients(G))
    seen = game._replace(judge=lambda images, batch: asked.append(images) or D(images).sum(1))
    accumulate_g_gradients(seen, batch, game.generate(batch))
    assert len(asked) == (2 if FACTS[loss].paired else 1)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("penalty", ["none", "r1r2"])
def test_d_learns_from_the_loss_and_the_weighted_penalty(loss, penalty, players):
    """This D is linear in pixels.

    So the squared gradient of each logit is the squared length of its weights.
    """
    G, D = players
    batch, game = batch_of(6), game_of(*players, loss)
    fake = game.generate(batch).detach()
    result = accumulate_d_gradients(D, game, batch, fake.clone(), penalty, 0.3)
    got = gradients(D)
    D.zero_grad()
    squared = D.layer.weight.sum(0).square().sum() * (2 if penalty == "r1r2" else 0)
    of_loss = LOSSES[loss].discriminator(D(batch.real).sum(1), D(fake).sum(1))
    (of_loss + 0.3 * squared).backward()
    torch.testing.assert_close(result.loss, of_loss.detach())
    torch.testing.assert_close(result.penalty, squared.detach())
    # second derivatives, summed in another order
    torch.testing.assert_close(got, gradients(D), rtol=1e-4, atol=1e-6)
    assert all(parameter.grad is None for parameter in G.parameters())


def test_updates_move_one_player_each_and_leave_the_other_ready(players):
    G, D = players
    before = [copy.deepcopy(player.state_dict()) for player in players]
    batches, game = [batch_of(4), batch_of(4)], game_of(*players, "relativistic")
    batches = [batch._replace(share=0.5) for batch in batches]
    fakes = [game.generate(batch).detach() for batch in batches]
    result = update_d(D, torch.optim.SGD(D.parameters(), 0.1), game, batches, fakes, "r1", 0.1)
    assert {value.shape for value in result} == {()}
    assert all(torch.equal(value, before[0][name]) for name, value in G.state_dict().items())
    middle = copy.deepcopy(D.state_dict())
    update_g(D, torch.optim.SGD(G.parameters(), 0.1), game, batches, None)
    assert all(torch.equal(value, middle[name]) for name, value in D.state_dict().items())
    assert not torch.equal(G.layer.weight, before[0]["layer.weight"])
    assert not torch.equal(D.layer.weight, before[1]["layer.weight"])
    assert all(parameter.requires_grad for parameter in D.parameters())


def test_d_can_learn_again_after_an_update_of_g_broke_off(players):
    G, D = players
    game = game_of(*players, "hinge")._replace(generate=lambda batch: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        update_g(D, torch.optim.SGD(G.parameters(), 0.1), game, [batch_of(2)], None)
    assert all(parameter.requires_grad for parameter in D.parameters())


def test_the_average_moves_by_its_decay_and_copies_buffers():
    average, network = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    nn.init.constant_(network.weight, 3.0)
    network.running_mean.fill_(7.0)
    update_ema(average, network, torch.tensor(0.75))
    assert average.weight.tolist() == [1.5, 1.5]
    assert average.running_mean.tolist() == [7.0, 7.0]
