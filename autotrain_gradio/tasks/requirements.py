"""Packages that a task requires in addition to the base installation, and findings for missing ones."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import join_examples, pluralize

PROJECT = "autotrain-gradio"
CODE = "missing-package"


@dataclass(frozen=True)
class Requirement:
    """A package that must be installed.

    module: name by which it is imported, a top-level one.
    distribution: name by which pip installs it; empty: the same.
    extra: extra of this project that installs it with all requirements of the task; empty: pip installs the
        distribution.
    """

    module: str
    distribution: str = ""
    extra: str = ""

    @property
    def package(self) -> str:
        """Name of the distribution."""
        return self.distribution or self.module

    @property
    def command(self) -> str:
        """The command that installs it."""
        return f"pip install '{PROJECT}[{self.extra}]'" if self.extra else f"pip install {self.package}"

    def is_installed(self) -> bool:
        """Whether Python finds the package; nothing is imported."""
        return importlib.util.find_spec(self.module) is not None


TRAINER = ("torch", "transformers", "accelerate", "evaluate", "peft", "safetensors", "sklearn=scikit-learn")
"""Requirements of every task that trains with `transformers.Trainer`."""


def from_extra(extra: str, *modules: str) -> tuple[Requirement, ...]:
    """Return requirements that an extra of this project installs; `module=distribution` where the names differ."""
    pairs = [name.partition("=") for name in modules]
    return tuple(Requirement(module, distribution, extra) for module, _, distribution in pairs)


def missing_packages(title: str, requirements: Iterable[Requirement]) -> list[Finding]:
    """Return an error finding for each command that installs missing packages.

    title: of the task.
    """
    by_command: dict[str, list[str]] = {}
    for requirement in requirements:
        if not requirement.is_installed():
            by_command.setdefault(requirement.command, []).append(requirement.package)
    found = []
    for command, packages in by_command.items():
        count = pluralize(len(packages), "package")
        message = f"{title} needs {count} that are not installed: {join_examples(packages)}."
        found.append(Finding("error", CODE, message, f"Install with: {command} (then restart the app)."))
    return found
