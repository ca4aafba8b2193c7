"""``python -m zoo.label_image``: image files of all kinds, by exports of all kinds."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import numpy as np
import pytest
from helpers.sweeps import ROOT
from PIL import Image

from zoo.export import sources, writing
from zoo.export.manifest import Input
from zoo.label_image import __main__ as command
from zoo.label_image import images

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def halves(left, right, size=(8, 8)):
    image = Image.new("RGB", size, left)
    image.paste(right, (size[0] // 2, 0, size[0], size[1]))
    return image


def test_an_image_of_the_right_size_is_taken_as_it_is():
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    assert np.array_equal(images.decoded(encoded(Image.fromarray(pixels)), 8), pixels)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "RGB"])
def test_white_is_white_in_every_mode(mode):
    white = Image.new("RGB", (5, 9), "white").convert(mode)
    assert (images.decoded(encoded(white), 4) == 255).all()


def test_cmyk_as_printers_have_it():
    assert images.decoded(encoded(Image.new("CMYK", (9, 9), (0, 0, 0, 0)), "JPEG"), 4).min() > 250
    assert images.decoded(encoded(Image.new("CMYK", (9, 9), (0, 0, 0, 255)), "JPEG"), 4).max() < 5


def test_sixteen_bits_are_scaled_not_cut_off():
    values = np.full((6, 6), 257 * 100, np.uint16)
    assert (images.decoded(encoded(Image.fromarray(values)), 6) == 100).all()


def test_what_is_transparent_is_seen_on_white():
    clear = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    assert (images.decoded(encoded(clear), 4) == 255).all()


def test_the_rotation_that_a_camera_wrote_down_is_undone():
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    pixels = images.decoded(encoded(halves(RED, BLUE), "PNG", exif=exif), 8)
    assert tuple(pixels[0, 0]) == BLUE and tuple(pixels[0, 7]) == RED


def test_the_middle_of_the_long_side_is_seen():
    image = Image.new("RGB", (24, 8), RED)
    image.paste(GREEN, (8, 0, 16, 8))
    assert (images.decoded(encoded(image), 8) == GREEN).all()
    image = Image.new("RGB", (8, 24), RED)
    image.paste(GREEN, (0, 8, 8, 16))
    assert (images.decoded(encoded(image), 8) == GREEN).all()


@pytest.mark.parametrize("contents", [b"", b"nope", encoded(halves(RED, BLUE, (64, 64)))[:60]])
def test_what_is_no_image_is_an_error_of_its_own(tmp_path, contents):
    (tmp_path / "bad.png").write_bytes(contents)
    with pytest.raises(images.UnreadableImage, match=r"empty|no image|damaged"):
        images.read(str(tmp_path / "bad.png"), 8, sys.stdin.buffer)


def test_a_small_file_of_very_many_pixels_is_passed_over():
    with pytest.raises(images.UnreadableImage, match="pixels"):
        images.decoded(encoded(Image.new("1", (30_000, 30_000))), 8)


def test_standardized_as_the_training_has_it():
    import tensorflow as tf

    from zoo.data import augmentation

    pixels = np.random.default_rng(0).integers(0, 256, (3, 10, 10, 3), dtype=np.uint8)
    pixels[2] = 7  # no deviation at all
    wanted = Input(size=6, kind="standardized", image_size=10, crop=6)
    expected = augmentation.apply(tf.constant(pixels), tf.range(3), (), 6, True).numpy()
    np.testing.assert_allclose(images.prepared(pixels, wanted), expected, atol=1e-4)


@pytest.fixture(scope="module")
def exported(finished, tmp_path_factory):
    """A run in two formats, one of them with everything inside; and test images as files, with their labels."""
    directory = tmp_path_factory.mktemp("exported")
    runs = finished[0] / "runs"
    training = next(path.parent for path in sorted(runs.glob("*/training.json")))
    source = sources.find(str(training), runs)
    whole = writing.prepare(source, is_whole=True)
    pictures = directory / "pictures"
    (pictures / "more pictures").mkdir(parents=True)
    for number in range(12):
        folder = pictures / "more pictures" if number > 8 else pictures
        Image.fromarray(whole.images.test[number]).save(folder / f"{number:02}.png")
    paths = {
        "tflite": writing.export(writing.prepare(source), "tflite_int8", directory)[0],
        "onnx": writing.export(whole, "onnx", directory)[0],
        "run": training,
    }
    return paths, pictures, whole.expected[:12]


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("kind", ["tflite", "onnx", "run"])
def test_a_directory_of_images_is_labelled_as_the_network_does_it(exported, capsys, kind):
    paths, pictures, expected = exported
    assert command.main([str(paths[kind]), str(pictures), "--json", "--top", "10"]) == 0
    found = lines(capsys)
    assert [line["image"][-6:] for line in found] == [f"{number:02}.png" for number in range(12)]
    for line, probabilities in zip(found, expected, strict=True):
        given = {each["class"]: each["probability"] for each in line["classes"]}
        np.testing.assert_allclose(
            [given[str(i)] for i in range(10)], probabilities, atol=0.1 if kind == "tflite" else 1e-3
        )
        assert list(given.values()) == sorted(given.values(), reverse=True)


def test_broken_files_are_named_and_the_others_labelled(exported, capsys, tmp_path):
    paths, pictures, _ = exported
    (tmp_path / "broken.png").write_bytes(b"nope")
    given = [str(tmp_path / "broken.png"), str(tmp_path / "absent.png"), str(pictures / "00.png")]
    assert command.main([str(paths["tflite"]), *given, "--top", "1"]) == 1
    printed = capsys.readouterr()
    assert "broken.png is passed over: it is no image" in printed.err
    assert "absent.png is passed over: No such file or directory" in printed.err
    assert printed.out.splitlines()[0].endswith("00.png") and printed.out.splitlines()[1].endswith(" %")


def test_a_tflite_file_needs_no_tensorflow(exported):
    paths, pictures, _ = exported
    script = (
        "import sys; from zoo.label_image.__main__ import main; "
        f"code = main([{str(paths['tflite'])!r}, '-']); "
        "assert not {'tensorflow', 'tf_keras', 'mlflow'} & set(sys.modules); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=(pictures / "00.png").read_bytes(),
        capture_output=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert len(done.stdout.splitlines()) == 6 and not done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent.tflite", "x.png"], "there is no file absent.tflite"),
        (["tuto", "x.png"], "tuto is a model that is not trained"),
        (["no_such", "x.png"], "no training in"),
    ],
)
def test_what_there_is_not(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert command.main(arguments) == 2
    assert message in capsys.readouterr().err


def test_a_file_without_its_manifest_or_with_a_broken_one_and_a_broken_model(exported, tmp_path, capsys):
    paths, pictures, _ = exported
    lone = tmp_path / "lone.tflite"
    lone.write_bytes(paths["tflite"].read_bytes()[:1000])
    image = str(pictures / "00.png")
    for contents, message in (
        (None, "lone.json is missing"),
        ("{}", "lone.json is not the manifest of an export: format"),
        (paths["tflite"].with_suffix(".json").read_text(), "lone.tflite is not a LiteRT model"),
    ):
        if contents is not None:
            (tmp_path / "lone.json").write_text(contents)
        assert command.main([str(lone), image]) == 2
        assert message in capsys.readouterr().err
