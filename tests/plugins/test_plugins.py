"""Files of the user's own: executed once, and refused with the line that is wrong."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import pytest

from zoo import models
from zoo.plugins import PluginError, SourceChanged, files, load_file


def refusal(path):
    with pytest.raises(PluginError) as refused:
        load_file(path)
    return str(refused.value)


def test_a_file_is_executed_once(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "times_executed", 0, raising=False)
    file = tmp_path / "mine.py"
    file.write_text("import sys\nsys.times_executed += 1\nvalue = 5\n")
    monkeypatch.chdir(tmp_path)
    assert load_file(file).value == load_file("mine.py").value == 5
    assert sys.times_executed == 1


def test_two_files_of_one_name_are_two_modules(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.py").write_text(f"value = {folder!r}\n")
    assert [load_file(tmp_path / folder / "mine.py").value for folder in ("a", "b")] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("x = 1\n\ny = (\n", 3, "it does not parse: '(' was never closed"),
        ("def f():\n    raise KeyError('k')\n\nf()\n", 2, "KeyError: 'k'"),
        ("import no_such_module_at_all\n", 1, "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        ("import json\n\njson.loads('')\n", 3, "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
        ("x = 1\nraise SystemExit(3)\n", 2, "SystemExit: 3"),
        ("assert False\n", 1, "AssertionError"),
    ],
)
def test_a_file_that_fails_is_named_with_its_line(tmp_path, text, line, reason):
    file = tmp_path / "mine.py"
    file.write_text(text)
    assert refusal(file) == f"{file}:{line}: {reason}"


def test_a_file_that_failed_can_be_corrected(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("raise ValueError")
    refusal(file)
    file.write_text("value = 'corrected'\n")
    assert load_file(file).value == "corrected"


def test_files_that_are_none(tmp_path):
    assert refusal(tmp_path / "none.py").endswith("none.py:1: there is no such file")
    assert refusal(tmp_path).endswith(":1: is a directory, not a Python file")
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\x00\x01")
    assert refusal(tmp_path / "binary.py").startswith(f"{tmp_path / 'binary.py'}:")


MODEL = """\
import json
from pathlib import Path

from zoo.models import register


@register("beside", files=[{files}])
def beside(input_size: int = 24, classes: int = 10):
    from {helper} import WIDTH

    import tf_keras as keras

    image = keras.Input((input_size, input_size, 3))
    maps = keras.layers.Conv2D(WIDTH, 3)(image)
    return keras.Model(image, keras.layers.Dense(classes)(keras.layers.GlobalAveragePooling2D()(maps)))
"""


def model_in(folder, helper, files=""):
    folder.mkdir(exist_ok=True)
    (folder / "net.py").write_text(MODEL.format(helper=helper, files=files))
    return folder / "net.py"


TEXTS = {
    "helper_a.py": "from helper_b import WIDTH\n",
    "helper_b.py": "import package_c.inner\nWIDTH = package_c.inner.WIDTH\n",
    "package_c/__init__.py": "",
    "package_c/inner.py": "WIDTH = 5\n",
    "other.py": "WIDTH = 1\n",
}


def model_with_modules(folder, edited=""):
    (folder / "package_c").mkdir(parents=True)
    for name, text in TEXTS.items():
        (folder / name).write_text(text + ("# edited\n" if name == edited else ""))
    return model_in(folder, "helper_a")


def test_modules_beside_a_file_can_be_imported(tmp_path):
    """Inside a function, at the top, through another module and from a package."""
    with models.restored():
        load_file(model_with_modules(tmp_path))
        assert models.build("beside").layers[1].filters == 5


def test_modules_beside_a_file_are_a_part_of_its_checksum(tmp_path):
    """Each that is imported, directly or not; one that is not imported is none."""
    edits = ["", *TEXTS]
    folders = [tmp_path / str(number) for number in range(len(edits))]
    seen = {
        edited: in_a_new_process(model_with_modules(folder, edited))
        for edited, folder in zip(edits, folders, strict=True)
    }
    assert len(set(seen.values())) == 5 and seen["other.py"] == seen[""]


def in_a_new_process(file) -> str:
    code = "import sys; from zoo import models, plugins; plugins.load_file(sys.argv[1]); "
    code += "print(models.entry('beside').source_sha256())"
    done = subprocess.run([sys.executable, "-c", code, file], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_file_that_stands_alone_has_its_own_checksum(tmp_path):
    """As ever: results under earlier keys stay."""
    file = model_in(tmp_path, "zoo.models.registry")
    with models.restored():
        load_file(file)
        assert models.entry("beside").source_sha256() == hashlib.sha256(file.read_bytes()).hexdigest()


def test_declared_files_are_a_part_of_the_checksum_and_stay_as_they_were(tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    seen = []
    for folder, text in zip(folders, ("4", "64"), strict=True):
        folder.mkdir()
        (folder / "widths.json").write_text(text)
        (folder / "net.py").write_text(
            model_in(folder, "json", '"widths.json"')
            .read_text()
            .replace(
                "from json import WIDTH", "WIDTH = json.loads((Path(__file__).parent / 'widths.json').read_text())"
            )
        )
        with models.restored():
            load_file(folder / "net.py")
            seen.append(models.entry("beside").source_sha256())
            assert models.build("beside").layers[1].filters == int(text)
            if folder is folders[1]:
                (folder / "widths.json").write_text("65")
                with pytest.raises(
                    SourceChanged, match=r"widths\.json has been edited since the model beside was regis"
                ):
                    models.build("beside")
    assert seen[0] != seen[1]


def test_a_declared_file_that_is_not_there_is_a_mistake_at_its_line(tmp_path):
    refused = refusal(model_in(tmp_path, "json", '"none.json"'))
    assert refused == f"{tmp_path}/net.py:7: No such file or directory: {tmp_path}/none.json"


def test_a_module_that_was_edited_after_its_file_was_loaded_is_refused(tmp_path):
    """It is imported when the model is built, which may be hours later."""
    file = model_in(tmp_path, "late_helper")
    (tmp_path / "late_helper.py").write_text("WIDTH = 4\n")
    with models.restored():
        load_file(file)
        (tmp_path / "late_helper.py").write_text("WIDTH = 8\n")
        with pytest.raises(SourceChanged, match=r"late_helper\.py has been edited since it was first read"):
            models.build("beside")


def test_what_is_executed_is_the_text_and_no_compiled_code_of_before(tmp_path):
    """Python compares times by the second and sizes: both are the same after a quick edit of a digit."""
    file = tmp_path / "quick.py"
    for text in ("value = 4\n", "value = 8\n"):
        file.write_text(text)
        os.utime(file, (1_700_000_000, 1_700_000_000))
        files._loaded.pop(file, None)
        assert load_file(file).value == int(text[8])


def test_python_and_installed_packages_come_before_what_is_beside(tmp_path):
    (tmp_path / "signal.py").write_text("raise ValueError('not this one')\n")
    (tmp_path / "numpy.py").write_text("raise ValueError('not this one')\n")
    (tmp_path / "a.py").write_text("import signal\nvalue = signal.SIGTERM\n")
    assert load_file(tmp_path / "a.py").value == 15
    (tmp_path / "b.py").write_text("import numpy\n")
    assert f"it imports numpy, which is {tmp_path}/numpy.py and also " in refusal(tmp_path / "b.py")


def test_two_modules_of_one_name_are_refused(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same_name.py").write_text(f"value = {folder!r}\n")
        (tmp_path / folder / "mine.py").write_text("from same_name import value\n")
    assert load_file(tmp_path / "a" / "mine.py").value == "a"
    assert refusal(tmp_path / "b" / "mine.py").endswith("/a/same_name.py; rename one of them")


def test_a_mistake_in_a_module_beside_is_named_and_can_be_corrected(tmp_path):
    (tmp_path / "mine.py").write_text("import broken_one\nvalue = broken_one.value\n")
    (tmp_path / "broken_one.py").write_text("x = 1\ny = (\n")
    assert f"mine.py:1: {tmp_path}/broken_one.py:2 does not parse" in refusal(tmp_path / "mine.py")
    (tmp_path / "broken_one.py").write_text("value = 3\n")
    assert load_file(tmp_path / "mine.py").value == 3
