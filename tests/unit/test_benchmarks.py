"""Test the deterministic parts of the benchmarks, and one tiny round of each benchmark."""

import argparse
import itertools
import json
import types
from dataclasses import replace

import pytest
import torch
from torch import nn

from gan.config import SIZES
from gan.data.dataset import among
from gan.device import cpu_quota
from gan.errors import UserError
from gan.metrics import extractors
from gan.metrics.extractors import Extractor, Features, open_extractor
from gan.recipes import RECIPES
from gan.train.autotune.cost import Tally
from gan.train.losses import squared_gradient
from tests.benchmarks import tutorial
from tests.benchmarks.quality import minutes, sets, stacked
from tests.benchmarks.quality.entrants import Drawn, race
from tests.benchmarks.speed import throughput
from tests.benchmarks.speed.floor import Cost, Machine, count, floor_seconds
from tests.benchmarks.speed.plain import Plain
from tests.benchmarks.tables import markdown, spread
from tests.benchmarks.variants import config_of, device_of, parse
from tests.server.commands.test_score import write_mnist_like
from tests.support.engine import CPU, SOUND, tiny_config, tiny_data, tiny_trainer


def test_a_variant_is_a_recipe_with_settings_read_by_their_types():
    variant = parse(
        "modern:lr_g=5e-4,batch=16,flip=yes,augment=color,translation,cutout,precision=bf16,threads=1"
    )
    assert variant.recipe == "modern"
    assert variant.settings == {
        "lr_g": 5e-4,
        "batch": 16,
        "flip": True,
        "augment": "color,translation,cutout",
    }
    config = config_of(variant, "digits", 28, 1, seed=3, minutes=2.0)
    assert (config.lr_g, config.batch, config.flip, config.seed, config.minutes) == (5e-4, 16, True, 3, 2.0)
    assert device_of(variant, CPU) == replace(CPU, precision="bf16", threads=1)


def test_the_tutorial_runs_as_torch_does_by_itself():
    assert device_of(None, replace(CPU, threads=99, precision="bf16", graph=True)) == replace(
        CPU, threads=cpu_quota(), channels_last=False
    )


def test_a_recipe_alone_is_a_variant():
    assert [parse(name)[1:] for name in RECIPES] == [(name, {}, {}) for name in RECIPES]


@pytest.mark.parametrize("text", [
    "unknown", "modern:batch", "modern:batch=many", "modern:nothing=1", "modern:seed=1",
    "modern:flip=perhaps", "modern:precision=foo", "modern:threads=0",
    "modern:threads=1000000",
])  # fmt: skip
def test_a_variant_that_makes_no_sense_is_refused_in_a_sentence(text):
    with pytest.raises(argparse.ArgumentTypeError, match="“"):
        parse(text)


def test_a_graph_needs_a_gpu():
    assert device_of(parse("modern:graph=yes"), replace(CPU, torch_name="cuda")).graph
    assert not device_of(parse("modern:graph=no"), CPU).graph
    with pytest.raises(
        argparse.ArgumentTypeError, match="“modern:graph=yes” asks for a graph, which only a GPU has"
    ):
        device_of(parse("modern:graph=yes"), CPU)


@pytest.mark.parametrize(("program", "words", "sentence"), [
    (minutes, "--turn 0", "“0” is not a number from 0.1 on"),
    (minutes, "--turn nan", "“nan” is not a number"), (minutes, "--minutes 1 0", "“0” is not"),
    (minutes, "--minutes -1", "“-1” is not"), (minutes, "--minutes 20000", "minutes = 20000"),
    (minutes, "--seeds 0", "“0” is not a whole number from 1 on"),
    (minutes, "--images -3", "“-3” is not a whole number"),
    (minutes, "--images 3", "batch of 32 is larger than the data set of 3 images"),
    (minutes, "--images 40", "40 pictures are less than the tutorial's batch of 64"),
    (minutes, "--images 1000", "has 583 pictures to train on, not 1000"),
    (minutes, "--entrants modern:graph=yes", "only a GPU has"),
    (minutes, "--entrants modern:precision=foo", "“foo” is no value of precision"),
    (minutes, "--entrants modern:threads=0", "“0” is no value of threads"),
    (minutes, "--entrants modern:batch=600", "batch of 600 is larger"),
    (minutes, "--net vgg", "no feature extractor called “vgg”"),
    (minutes, "--entrants projected modern --net efficientnet", "used the feature extractor “efficientnet”"),
    (minutes, "--data mnist --idx nowhere", "nowhere does not hold the four IDX files"),
    (minutes, "--log no/such/folder", "can't be written (No such file"),
    (minutes, "--data stacked --net pixels --idx {idx}", "scored through the digits net alone"),
    (minutes, "--data mnist --idx {broken}", "is cut short"),
    (throughput, "--rounds 0", "“0” is not a whole number from 1 on"),
    (throughput, "--seconds 0", "“0” is not a number from 0.01 on"),
    (throughput, "--data digits --variants modern:graph=yes", "only a GPU has"),
    (throughput, "--variants modern:width=1", "width = 1 is out of range"),
])  # fmt: skip
def test_what_makes_no_sense_is_one_sentence_and_status_2_before_anything_is_trained(
    program, words, sentence, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(program, "this_machine", lambda: CPU)
    monkeypatch.delattr(minutes, "Entrant")
    monkeypatch.delattr(throughput, "rate")
    digits = sets.data.load("digits").images[:70]
    folders = {name: write_mnist_like(tmp_path / name, digits, digits) for name in ("idx", "broken")}
    (folders["broken"] / "t10k-images-idx3-ubyte.gz").write_bytes(bytes([0, 0, 8, 3]))
    common = ["--data", "emoji"] if program is minutes else []
    with pytest.raises(SystemExit) as ended:
        program.main([*common, *words.format(**folders).split()])
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err.splitlines()[-1]


def test_spread_is_mean_and_sample_deviation():
    assert spread([1.0, 2.0, 3.0]) == "2 ±1"
    assert spread([0.12345]) == "0.1235"
    assert spread([float("inf"), 1.0]) == "inf"


def test_a_table_is_aligned():
    assert markdown(["a", "long name"], [["x y", "1"], ["z", "22"]]).splitlines() == [
        "| a   | long name |",
        "| --- | --------: |",
        "| x y |         1 |",
        "| z   |        22 |",
    ]


def test_the_table_of_quality_joins_seeds_and_leaves_out_what_nobody_has():
    records = [
        {"minutes": m, "entrant": e, "seed": s, "FD": m * 10.0 + s}
        for s, m, e in itertools.product((0, 1), (2, 1), ("modern", "tutorial"))
    ]
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in minutes.table(records).splitlines()
    ]
    assert lines[0] == ["minutes", "entrant", "seeds", "FD"]
    assert lines[2:] == [
        [budget, entrant, "2", f"{budget}0.5 ±0.71"] for budget in "12" for entrant in ("modern", "tutorial")
    ]


def test_a_race_keeps_all_at_the_same_part_of_their_way():
    class Entrant:
        def __init__(self, spent):
            self.spent, self.turns = spent, []

        def train(self, seconds):
            self.spent += seconds
            self.turns.append(len(order))
            order.append(self)

    order: list[Entrant] = []
    new, old, there = Entrant(0.0), Entrant(60.0), Entrant(120.0)
    race([new, old, there], mark=120.0, turn=5.0)
    assert (new.spent, old.spent, there.spent) == (120.0, 120.0, 120.0)
    assert (len(new.turns), len(old.turns), len(there.turns)) == (24, 12, 0)
    half = order[: len(order) // 2]
    assert half.count(new) == 12
    assert half.count(old) == 6


def test_stacked_digits_are_read_back_as_their_modes():
    whole = sets.data.load("digits")
    rows = torch.cat([(whole.labels == digit).nonzero()[:2, 0] for digit in range(10)])
    images = stacked.stack(whole.images[rows], 64, seed=1)
    drawn = torch.randint(20, (64, 3), generator=torch.Generator().manual_seed(1)) // 2
    truth = drawn @ torch.tensor([100, 10, 1])
    seen = stacked.extract(open_extractor("digits"), images)
    assert images.shape == (64, 3, 28, 28)
    assert seen.features.shape == (64, 384)
    assert (seen.classes == truth).double().mean() > 0.95
    assert torch.equal(seen.features[:, :128], open_extractor("digits").extract(images[:, :1]).features)


def test_stacked_modes_are_counted_against_the_real_shares():
    shares = stacked.real_shares()
    assert shares.sum() == pytest.approx(1)
    assert shares[123] == pytest.approx(6742 * 5958 * 6131 / 60_000**3)
    alone = stacked.mode_scores(torch.full((500,), 7))
    assert alone == {"modes": 1, "mode KL": pytest.approx(-torch.log(shares[7]).item())}
    perfect = stacked.mode_scores(
        torch.multinomial(
            shares, stacked.SAMPLES, replacement=True, generator=torch.Generator().manual_seed(0)
        )
    )
    assert perfect["modes"] == 1000
    assert perfect["mode KL"] == pytest.approx(999 / 52_000, rel=0.15)


def test_fewer_training_pictures_are_part_of_more():
    few, more = (sets.load_training("emoji", None, seed=2, limit=limit) for limit in (20, 50))
    assert torch.equal(few.images, more.images[:20])
    held_out = sets.SETS["emoji"].test(None)
    training = sets.load_training("emoji", None, seed=2).images
    whole = sets.data.load("emoji").images
    assert torch.equal(whole[0], held_out[0])
    assert torch.equal(whole[1:5], training[:4])


@pytest.mark.parametrize("name", ["emoji", "faces", "landscapes"])  # “fashion” is the downloaded set
def test_no_held_out_picture_of_a_bundled_set_is_also_trained_on(name):
    held_out, training = sets.SETS[name].test(None), sets.load_training(name, None, seed=0).images
    assert len(held_out) > 140
    assert not among(held_out, training).any()


def test_who_looks_at_the_pictures(monkeypatch):
    monkeypatch.setattr(extractors, "open_extractor", lambda name: name)
    assert sets.extractor_of("mnist", 1, None, ()) == sets.extractor_of("stacked", 3, None, ()) == "digits"
    assert sets.extractor_of("cifar10", 3, "pixels", ()) == "pixels"
    assert sets.extractor_of("cifar10", 3, None, {"efficientnet"}) == "pixels", (
        "a discriminator that learned through EfficientNet is not judged by it"
    )
    with pytest.raises(UserError, match="used the feature extractor"):
        sets.extractor_of("cifar10", 3, "efficientnet", {"efficientnet"})
    with pytest.raises(argparse.ArgumentTypeError, match="digits net alone"):
        sets.extractor_of("stacked", 3, "pixels", ())


def test_stacked_pictures_score_perfectly_against_themselves():
    images = stacked.stack(sets.data.load("digits").images[::500], 40, seed=0)
    scores = sets.SETS["stacked"].score(images, torch.cat([images, images]), open_extractor("digits"))
    assert scores["FD"] == pytest.approx(0, abs=1e-3)
    assert scores["coverage"] == 1
    assert scores["modes"] > 10


def test_operations_are_counted_as_by_hand_through_double_backward():
    conv = nn.Conv2d(3, 8, 4, 2, 1, bias=False)
    images = torch.randn(5, 3, 28, 28, requires_grad=True)
    # a multiplication and an addition for each output, input channel and tap
    forward = 2 * 5 * 8 * 14 * 14 * 3 * 4 * 4
    with Tally() as tally:
        conv(images)
    assert tally.flops == forward
    assert tally.moved == 4 * (5 * 3 * 28 * 28 + 8 * 3 * 4 * 4 + 5 * 8 * 14 * 14)
    with Tally() as tally:
        squared_gradient(conv(images).square().sum((1, 2, 3)), images).mean().backward()
    # The six are: forward, and its gradient by the images. Then that gradient's gradients by the weights and
    # by the incoming gradient. Then the forward's gradients by images and weights.
    assert tally.flops == 6 * forward


def test_the_floor_is_the_larger_of_calculation_and_memory():
    machine = Machine(flops=100.0, bytes=10.0)
    assert floor_seconds(Cost(flops=200.0, bytes=10.0), machine) == (2.0, "FLOP")
    assert floor_seconds(Cost(flops=200.0, bytes=30.0), machine) == (3.0, "bytes")


def test_the_weights_that_the_optimizers_touch_are_counted():
    nothing = count(lambda steps: None, 1, updated=10, averaged=5)
    assert nothing == Cost(0, 4 * (70 + 15))


def test_the_timers_split_a_step_and_leave_no_trace():
    trainer = tiny_trainer()
    d_ms, g_ms = throughput.split_of(trainer, ["_update_d"], ["_generate", "_update_g"], "cpu", cycle=1)()
    assert d_ms > 0
    assert g_ms > 0
    assert not {"_update_d", "_update_g", "_generate"} & set(vars(trainer))


def test_throughput_knows_every_size():
    assert {shape.size for shape in throughput.SHAPES.values()} == set(SIZES)


@pytest.mark.parametrize(("step", "expected"), [(2**-10, 4.0), (2**-3, 4.125), (60.0, 180.0)])
def test_a_round_takes_whole_cycles_and_one_of_steps_that_are_too_long_for_it(step, expected, monkeypatch):
    clock, taken = [0.0], []

    def advance(steps):
        clock[0] += step * steps
        taken.append(steps)

    monkeypatch.setattr(throughput, "time", types.SimpleNamespace(perf_counter=lambda: clock[0]))
    line = throughput.Line(
        "modern",
        "digits",
        "28x28x1",
        "float32",
        "eager",
        CPU,
        images=10,
        cycle=3,
        parameters=1,
        advance=advance,
    )
    assert throughput.rate(line, 4.0) == pytest.approx(10 / step)
    assert all(steps % 3 == 0 for steps in taken)
    assert clock[0] == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    "recipe",
    [name for name in SOUND if RECIPES[name].get("architecture", "modern") == "modern"],
)
def test_the_plain_loop_costs_what_the_engine_does_and_the_second_draw(recipe):
    config = tiny_config(recipe, d_steps=2, flip=True, conditional=True)
    trainer = tiny_trainer(recipe, d_steps=2, flip=True, conditional=True)
    plain = Plain(config, tiny_data(), "cpu")
    with Tally() as drawing:
        plain._draw(plain._with_latents(*plain._batch()))
    ours, theirs = count(trainer.advance, 2, 0, 0), count(plain.advance, 2, 0, 0)
    assert theirs.flops - ours.flops == drawing.flops
    before = plain.G.dense.weight.clone()
    plain.advance(1)
    assert not torch.equal(before, plain.G.dense.weight)


def test_the_tutorial_learns_to_tell_noise_from_its_pictures(monkeypatch):
    monkeypatch.setattr(tutorial, "BATCH", 8)
    monkeypatch.setattr(tutorial, "WIDTH", 8)
    pupil = tutorial.Tutorial(torch.full((16, 1, 64, 64), 200, dtype=torch.uint8), seed=0)
    pupil.advance(3)
    assert pupil.images_seen == 24
    assert pupil.read["D(x)"] > pupil.read["D(G(z)) before"]


def test_quality_from_end_to_end(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(minutes, "this_machine", lambda: CPU)
    log = tmp_path / "log.jsonl"
    words = (
        "--data emoji --images 16 --minutes 0.01 --seeds 1 --no-reference --net pixels --entrants "
        "modern:width=8,batch=8"
    )
    minutes.main([*words.split(), "--log", str(log)])
    (record,) = [json.loads(line) for line in log.read_text().splitlines()]
    assert (record["minutes"], record["entrant"], record["seed"], record["images"]) == (
        0.01,
        "modern:width=8,batch=8",
        0,
        16,
    )
    assert record["FD"] > 0
    assert record["copies"] >= 0
    assert record["kimg"] > 0
    assert record["MB"] > 50
    assert len([line for line in capsys.readouterr().out.splitlines() if line.startswith("| 0.01 ")]) == 1


def test_ours_begin_anew_at_every_mark_and_the_tutorial_goes_on(monkeypatch):
    made = []

    class Fake:
        def __init__(self, job):
            self.job, self.spent, self.ended = job, 0.0, False
            made.append(self)

        def train(self, seconds):
            self.spent += seconds

        def draw(self, count):
            return Drawn(
                torch.randint(0, 256, (count, 3, 64, 64), dtype=torch.uint8).numpy(),
                round(10 * self.spent),
                1.0,
            )

        def end(self):
            self.ended = True

    monkeypatch.setattr(minutes, "Entrant", Fake)
    options = minutes.arguments().parse_args(
        ["--data", "emoji", "--images", "20", "--minutes", "2", "1", "--entrants", "modern", "hinge:batch=8"]
    )
    colours = Extractor("colours", "mean colours", lambda images: Features(images.float().mean((2, 3)), None))
    setting = minutes.Setting(options, CPU, sets.SETS["emoji"].test(None)[:20], colours)
    records = list(minutes.measure(setting, seed=4))
    assert [(each["minutes"], each["entrant"]) for each in records] == list(
        itertools.product((1, 2), ("modern", "hinge:batch=8", "tutorial"))
    )
    assert all(
        each["seconds"] == 60 * each["minutes"] and each["images/s"] == 10 and each["seed"] == 4
        for each in records
    )
    budgets = [
        ("tutorial", 120),
        ("modern", 60),
        ("hinge:batch=8", 60),
        ("modern", 120),
        ("hinge:batch=8", 120),
    ]
    assert [(each.job.name, each.job.budget) for each in made] == budgets
    assert all(each.ended for each in made)


def test_throughput_from_end_to_end(capsys, monkeypatch):
    monkeypatch.setattr(throughput, "this_machine", lambda: CPU)
    # a processor with native bf16 gets more rows
    monkeypatch.setattr(throughput, "native_bf16", lambda name: False)
    monkeypatch.setattr(tutorial, "WIDTH", 8)
    throughput.main(
        [
            "--data",
            "digits",
            "landscapes-128",
            "--variants",
            "modern:width=8,batch=4,threads=1",
            "dcgan",
            "--rounds",
            "1",
            "--seconds",
            "0.05",
        ]
    )
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("| ")
    ]
    assert [row[3] for row in rows[2:]] == 2 * ["tutorial", "plain", "eager"]
    assert [row[1] for row in rows[3::3]] == ["digits 28x28x1", "landscapes-128 128x128x3"]
    assert all(len(row) == len(throughput.HEADER) for row in rows)
    assert all(float(cell) > 0 for row in rows[2:] if row[3] != "tutorial" for cell in (row[5], *row[7:12]))
