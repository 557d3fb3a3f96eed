"""Reading commands: what is asked for, and what is answered to a wrong one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autotrain_gradio.cli import commands
from autotrain_gradio.cli.main import main, task_parser
from autotrain_gradio.tasks.registry import registry, resolve
from benchmarks.many_runs import make_runs


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trian"], "Did you mean 'train'?"),
        (["image-clasification"], "Did you mean 'image-classification'"),
        (["runs", "--jsn"], "Did you mean '--json'?"),
        (["image-classification", "--epoch", "3", "--train"], "Did you mean '--epochs'?"),
        (["check", "image-classification", "--datapath", "x"], "Did you mean '--data-path'?"),
        (["show"], "required: RUN"),
        (["image-classification", "--data-path", "x"], "--train is missing"),
        (["image-classification", "a", "--train"], "unexpected argument"),
    ],
)
def test_an_unknown_command_is_refused_with_a_suggestion(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    shown = capsys.readouterr()
    assert said in shown.err and shown.out == "" and "Traceback" not in shown.err


@pytest.mark.parametrize("words", [["--token", "hf_abcdef"], ["--token=hf_abcdef"]])
def test_a_token_is_refused_and_not_repeated(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image-classification", "--train", *words]) == 2
    said = capsys.readouterr().err
    assert "HF_TOKEN" in said and "hf auth login" in said and "hf_abcdef" not in said


def test_all_invalid_values_are_reported_at_once_by_their_flags(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image-classification", "--train", "--epochs", "many", "--lr", "7"]) == 1
    said = capsys.readouterr().err
    assert "'many'" in said and "--epochs" in said and "--lr" in said


def test_an_unknown_key_of_a_yaml_is_refused_with_a_suggestion(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("task: image_classification\nparams:\n  epocs: 2\n")
    assert main(["train", str(path)]) == 1
    assert "Did you mean 'epochs'?" in capsys.readouterr().err
    assert main(["check", str(path), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert {"layout", "rows", "columns", "findings", "profile"} <= set(found)
    assert found["findings"][0]["code"] == "unknown-setting" and found["findings"][0]["where"] == "params.epocs"


def test_a_missing_file_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "no-such.yaml"]) == 1
    assert "no-such.yaml" in capsys.readouterr().err


def test_autotrain_flags_give_the_same_spec(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []
    monkeypatch.setattr(commands, "_train", lambda spec, token: asked.append(spec) or 0)
    words = (
        "image_classification --model google/vit-base-patch16-224 --data-path cats --project_name=cats_and_dogs "
        "--train-split train --valid-split none --image-column img --label-column kind --max-samples 20 --epochs 2 "
        "--batch-size 4 --lr 2e-5 --no-horizontal-flip --mixed-precision none --log tensorboard "
        "--push-to-hub --username ana --train"
    )
    assert main(words.split()) == 0
    found = resolve(asked[0])
    assert found.spec.project_name == "cats_and_dogs"
    assert found.spec.data.columns == {"image": "img", "target": ["kind"]}
    assert (found.spec.data.path, found.spec.data.valid_split, found.spec.data.max_samples) == ("cats", None, 20)
    assert found.spec.params == {
        "epochs": 2,
        "batch_size": 4,
        "lr": 2e-5,
        "horizontal_flip": False,
        "log": "tensorboard",
    }
    assert found.spec.hub.push_to_hub and found.spec.hub.username == "ana"


def test_every_setting_has_a_flag_with_its_help() -> None:
    assert len(registry()) >= 1
    for task in registry():
        text = " ".join(task_parser(task, "x", train=True).format_help().split())
        for name, field in task.params.model_fields.items():
            flag = "--" + name.replace("_", "-")
            assert flag in text
            assert " ".join((field.description or "?").split())[:30] in text.replace("- ", "-"), name


def test_tasks_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tasks", "--json"]) == 0
    names = [t["name"] for t in json.loads(capsys.readouterr().out)]
    assert names == [t.name for t in registry()] and "image-classification" in names


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "image-classification" in capsys.readouterr().out


def test_an_unknown_run_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "nothing"]) == 1
    assert "The run 'nothing' does not exist." in capsys.readouterr().err
    assert main(["runs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_the_list_of_runs_shows_the_newest(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_runs(home, commands.RUNS_SHOWN + 2)
    newest = sorted((folder.name for folder in (home / "runs").iterdir()), reverse=True)

    def listed(*arguments: str) -> tuple[list[str], str]:
        assert main(["runs", *arguments]) == 0
        text = capsys.readouterr().out
        return [line.split()[0] for line in text.splitlines() if line[:4].isdigit()], text

    shown, text = listed()
    assert shown == newest[: commands.RUNS_SHOWN] and "runs --limit 0" in text
    shown, text = listed("--limit", "3")
    assert shown == newest[:3] and "runs --limit 0" in text
    shown, text = listed("--limit", "0")
    assert shown == newest and "--limit" not in text
    assert [row["id"] for row in json.loads(listed("--json")[1])] == newest
    assert [row["id"] for row in json.loads(listed("--json", "--limit", "2")[1])] == newest[:2]
    assert main(["runs", "--limit", "-1"]) == 2
