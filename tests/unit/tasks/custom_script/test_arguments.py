"""Arguments and variables, in all forms in which a user writes them."""

from __future__ import annotations

from typing import Any

import pytest

from autotrain_gradio.cli.main import task_parser
from autotrain_gradio.core.errors import SpecError
from autotrain_gradio.core.spec import from_yaml
from autotrain_gradio.tasks import views
from autotrain_gradio.tasks.custom_script.script_arguments import split_arguments, split_variables
from autotrain_gradio.tasks.options import spec_from_options
from autotrain_gradio.tasks.registry import registry, resolve


def _params(**params: Any) -> Any:
    return resolve({"task": "custom-script", "params": params}).params


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ('--epochs 5 --name "two words"', ["--epochs", "5", "--name", "two words"]),
        ({"epochs": 5, "name": "two words", "verbose": ""}, ["--epochs", "5", "--name", "two words", "--verbose"]),
        ("epochs=5;verbose;name=x", ["--epochs", "5", "--verbose", "--name", "x"]),
        ("lr=0.1 model=small", ["lr=0.1", "model=small"]),
        ("a;b c", ["a;b", "c"]),
        (["--x", "a b"], ["--x", "a b"]),
        (None, []),
        ("", []),
    ],
)
def test_arguments_are_those_of_a_shell_or_of_autotrain(given: Any, words: list[str]) -> None:
    assert split_arguments(_params(args=given).args) == words


@pytest.mark.parametrize(
    ("given", "variables"),
    [
        ('A=1 B="two words"', {"A": "1", "B": "two words"}),
        ({"A": 1, "B": "two words", "C": None}, {"A": "1", "B": "two words", "C": ""}),
        ("A=1;B=2", {"A": "1", "B": "2"}),
        ("PATHS='a;B=2'", {"PATHS": "a;B=2"}),
    ],
)
def test_variables_are_those_of_a_shell_or_of_autotrain(given: Any, variables: dict[str, str]) -> None:
    assert split_variables(_params(env=given).env) == variables


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"args": '--name "x'}, "no closing quotation"),
        ({"env": "A"}, "'A' is not an environment variable"),
        ({"env": "AUTOTRAIN_SEED=3"}, "reserved"),
        ({"env": {"HF_TOKEN": "hf_" + "a" * 30}}, "inherit_env"),
        ({"args": "--token hf_" + "a" * 30}, "stored on disk"),
        ({"inherit_env": ["HF_TOKEN=x"]}, "without their values"),
        ({"inherit_env": ["AUTOTRAIN_SEED"]}, "reserved"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(params: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as refused:
        _params(**params)
    assert message in str(refused.value) and refused.value.findings[0].where == f"params.{next(iter(params))}"


def test_arguments_survive_yaml_and_the_command_line() -> None:
    spec = {"task": "generic", "params": {"args": "--my_flag --name 'a b'", "inherit_env": ["HF_TOKEN"]}}
    wanted = resolve(spec).complete()
    assert wanted["task"] == "custom-script"
    assert resolve(from_yaml(views.yaml_view(resolve(spec).spec))[0]).complete() == wanted
    command = views.command_view(resolve(spec))
    assert "--args='--my_flag --name" in command
    parser = task_parser(registry().get("custom-script"), "x", train=True)
    assert parser.parse_args(["--args=--my_flag"]).args == "--my_flag"


def test_the_flags_and_settings_of_autotrain_are_accepted() -> None:
    spec = resolve({"task": "generic", "params": {"script_path": "mine", "args": {"lr": 1}}}).spec
    assert spec.data.path == "mine" and spec.params == {"args": "--lr 1"}
    words = ["--script-path", "mine", "--args", "lr=1;fast", "--env", "A=1;B=2", "--username", "ana"]
    task = registry().get("spacerunner")
    given = vars(task_parser(task, "x", train=True).parse_args(words))
    found = resolve(spec_from_options(task, given))
    assert found.spec.data.path == "mine" and found.spec.params == {"args": "--lr 1 --fast", "env": "A=1 B=2"}


def test_settings_that_the_task_does_not_have_are_refused_unless_they_are_defaults() -> None:
    resolve({"task": "generic", "data": {"train_split": "train", "valid_split": None}})
    with pytest.raises(SpecError) as refused:
        resolve({"task": "generic", "model": "some/model", "data": {"valid_fraction": 0.5, "labels": {"a": "b"}}})
    assert [f.where for f in refused.value.findings] == ["model", "data.labels", "data.valid_fraction"]
