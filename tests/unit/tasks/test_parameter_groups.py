"""Groups of parameters: open, in order, and refused where they make no sense."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autotrain_gradio.cli.docs import task_page
from autotrain_gradio.cli.main import task_parser
from autotrain_gradio.tasks.base import Params, Task, param
from autotrain_gradio.tasks.extension import Extension
from autotrain_gradio.tasks.options import options
from autotrain_gradio.tasks.parameter_groups import PARAMETER_GROUPS, ParameterGroup, sort_groups
from autotrain_gradio.tasks.registry import Registry, registry
from autotrain_gradio.tasks.verbs import Verb

GROUPS = (ParameterGroup("decoding", "Decoding", after="basic"), ParameterGroup("legal", "Licences"))


class DecodingParams(Params):
    """Parameters in groups of the task's own."""

    licence: str = param("", "legal")
    """Licence of the model."""
    beams: int = param(1, "decoding", ge=1)
    """Number of beams."""
    epochs: int = param(3, "basic", ge=1)
    """Number of training epochs."""


@pytest.fixture
def task() -> Task:
    task = replace(registry().get("image-classification"), name="decoding-task", aliases=(), shown=("epochs",))
    return replace(task, params=DecodingParams, parameter_groups=GROUPS, defaults=None)


def test_task_groups_are_ordered_after_their_predecessors(task: Task) -> None:
    assert {g.title: names for g, names in task.groups().items()} == {
        "Main settings": ["epochs"],
        "Decoding": ["beams"],
        "Optimization": ["seed"],
        "Licences": ["licence"],
    }


def test_options_help_and_docs_use_the_order_of_the_groups(task: Task) -> None:
    shown = list(dict.fromkeys(o.group for o in options(task) if o.where.startswith("params.")))
    assert shown == ["Main settings", "Decoding", "Optimization", "Licences"]
    for text in (task_parser(task, "x", train=True).format_help(), task_page(task, Registry([task]))):
        places = [text.index(title) for title in shown]
        assert places == sorted(places)


def test_previewed_groups_determine_the_parameters_of_the_preview(task: Task) -> None:
    assert task.previewed_params() == {"epochs"}
    previewed = replace(task, parameter_groups=(replace(GROUPS[0], previewed=True), GROUPS[1]))
    assert previewed.previewed_params() == {"epochs", "beams"}


def test_an_unregistered_group_is_refused_with_its_parameter(task: Task) -> None:
    with pytest.raises(ValueError, match=r"DecodingParams.licence is in an unregistered parameter group 'legal'"):
        Registry([replace(task, parameter_groups=GROUPS[:1])])


def test_a_built_in_group_cannot_be_replaced(task: Task) -> None:
    with pytest.raises(ValueError, match="named 'basic'"):
        Registry([replace(task, parameter_groups=(*GROUPS, ParameterGroup("basic", "Mine")))])


def test_cycles_and_unknown_predecessors_are_refused() -> None:
    assert [g.name for g in sort_groups(PARAMETER_GROUPS)] == PARAMETER_GROUPS.names()
    with pytest.raises(ValueError, match="group 'nowhere' does not exist"):
        sort_groups([ParameterGroup("a", "A", after="nowhere")])
    with pytest.raises(ValueError, match="has a cycle"):
        sort_groups([ParameterGroup("a", "A", after="b"), ParameterGroup("b", "B", after="a")])


def test_an_extension_adds_groups_and_verbs_to_every_task(task: Task) -> None:
    extension = Extension("more", verbs=(Verb("sing", "more.sing"),), parameter_groups=GROUPS[1:])
    extended = Registry([replace(task, parameter_groups=GROUPS[:1])], [extension]).get("decoding-task")
    assert "Licences" in [g.title for g in extended.groups()]
    assert extended.verb("sing").module == "more.sing" and extended.verb("predict").internal
    with pytest.raises(ValueError, match="claims the verb 'sing'"):
        Registry([replace(task, verbs=(Verb("sing", "mine.sing"),))], [extension])
