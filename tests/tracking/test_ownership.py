"""Whose the experiment of a name is: another question is refused, an edited or moved one goes on."""

from __future__ import annotations

import json
import logging
import shutil

import pytest
from helpers.tracked import TWO_SIZES, finish, runs_of, uri_of, with_cost

from zoo.config import load
from zoo.plan import runs as plans
from zoo.tracking.connection import open_client
from zoo.tracking.errors import NameTaken
from zoo.tracking.experiments import ownership
from zoo.tracking.store import Store
from zoo.tracking.sync import send_all

OTHER = TWO_SIZES.replace("hidden: [[8], [16]]", "hidden: [[8], [32]]")


def ask(project, text=TWO_SIZES, file="size.yaml", **kwargs):
    """The plan of a question in a project of its own."""
    (project / file).parent.mkdir(parents=True, exist_ok=True)
    (project / file).write_text(text)
    return with_cost(plans.make_plan(load(project / file, **kwargs), project / "runs"))


def opened(project, plan, uri=None) -> Store:
    uri = uri or uri_of(project)
    ownership.check_before(plan, uri, project)
    return Store(plan, uri, project)


def test_another_file_of_that_name_is_refused_and_changes_nothing(workdir):
    first = ask(workdir, file="x/lrn.yaml")
    for training in first.trainings:
        finish(training)
    assert send_all(first, uri_of(workdir), workdir).problem is None
    store = opened(workdir, first)
    before = {name: run.data.tags for name, run in runs_of(store).items()}
    second = ask(workdir, OTHER, "y/lrn.yaml")
    said = rf"the name lrn is taken in {uri_of(workdir)} by another question, x/lrn\.yaml; give this one a name of its own: "
    said += "name: NAME in the question, or --name NAME"
    with pytest.raises(NameTaken, match=said):
        ownership.check_before(second, uri_of(workdir), workdir)  # before anything is trained
    with pytest.raises(NameTaken, match=said):
        Store(second, uri_of(workdir), workdir)
    assert {name: run.data.tags for name, run in runs_of(store).items()} == before


def test_the_name_can_be_given_in_the_question_and_on_the_command_line(workdir):
    opened(workdir, ask(workdir, file="x/lrn.yaml"))
    named = ask(workdir, f"name: lrn of y\n{OTHER}", "y/lrn.yaml")
    opened(workdir, named)
    opened(workdir, ask(workdir, OTHER, "y/lrn.yaml", name="lrn-2"))
    names = {each.name for each in open_client(uri_of(workdir)).search_experiments()}
    assert names == {"Default", "lrn", "lrn of y", "lrn-2"}


def test_an_edited_question_goes_on_under_its_name(workdir):
    stores = [opened(workdir, ask(workdir)), opened(workdir, ask(workdir, OTHER)), opened(workdir, ask(workdir))]
    assert len({store.experiment_id for store in stores}) == 1


def test_a_file_that_was_moved_goes_on_and_a_copy_of_it_too_until_it_is_edited(workdir):
    opened(workdir, ask(workdir, file="x/lrn.yaml"))
    opened(workdir, ask(workdir, file="copied/lrn.yaml"))
    with pytest.raises(NameTaken, match=r"x/lrn\.yaml"):
        opened(workdir, ask(workdir, OTHER, "copied/lrn.yaml"))
    (workdir / "x/lrn.yaml").unlink()
    opened(workdir, ask(workdir, OTHER, "copied/lrn.yaml"))


def test_two_checkouts_with_one_store_are_told_of_each_other(workdir, tmp_path_factory, caplog):
    """The same question: a note; another one: refused."""
    uri = f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db"
    opened(workdir / "a", ask(workdir / "a"), uri)
    with caplog.at_level(logging.WARNING, "zoo"):
        opened(workdir / "b", ask(workdir / "b"), uri)
    (said,) = [text for text in caplog.messages if "the sweep size" in text]
    assert (
        f"was last sent to this store from size.yaml in {workdir / 'a'}, whose" in said and "--name NAME keeps" in said
    )
    with pytest.raises(NameTaken, match=r"by another question, size\.yaml in .*/b; give"):
        opened(workdir / "a", ask(workdir / "a", OTHER), uri)
    opened(workdir / "a", ask(workdir / "a", OTHER, name="mine"), uri)


def test_a_project_that_was_moved_goes_on(workdir, tmp_path_factory):
    """Also with a store that stayed where it was; a copy with such a store is another checkout."""
    uri = f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db"
    opened(workdir / "a", ask(workdir / "a"), uri)
    shutil.copytree(workdir / "a", workdir / "copy")
    with pytest.raises(NameTaken):
        opened(workdir / "copy", ask(workdir / "copy", OTHER), uri)
    shutil.move(workdir / "a", workdir / "moved")
    opened(workdir / "moved", ask(workdir / "moved", OTHER), uri)


def test_a_project_that_was_copied_with_its_store_is_on_its_own(workdir):
    opened(workdir / "a", ask(workdir / "a"))
    shutil.copytree(workdir / "a", workdir / "b")
    opened(workdir / "b", ask(workdir / "b", OTHER))
    opened(workdir / "a", ask(workdir / "a"))


@pytest.mark.parametrize("tag", [None, "", "[1]", '{"file": 3}', '{"file": "x.yaml"}', "not JSON"])
def test_an_experiment_of_an_earlier_version_or_with_an_edited_tag_is_taken_over(workdir, tag):
    store = opened(workdir, ask(workdir, file="x/lrn.yaml"))
    client = open_client(store.uri)
    if tag is None:
        client.delete_experiment_tag(store.experiment_id, "owner")
    else:
        client.set_experiment_tag(store.experiment_id, "owner", tag)
    opened(workdir, ask(workdir, OTHER, "y/lrn.yaml"))
    owner = json.loads(client.get_experiment(store.experiment_id).tags["owner"])
    assert (owner["file"], owner["directory"]) == ("y/lrn.yaml", ".")


def test_a_deleted_experiment_is_whose_comes_next(workdir):
    store = opened(workdir, ask(workdir, file="x/lrn.yaml"))
    open_client(store.uri).delete_experiment(store.experiment_id)
    again = opened(workdir, ask(workdir, OTHER, "y/lrn.yaml"))
    assert again.experiment_id == store.experiment_id  # MLflow keeps the name of what was deleted: it is restored
