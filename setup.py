"""What pyproject.toml cannot say: `assets/` lies beside the package in the repository, and inside it in a wheel."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class WithAssets(build_py):
    """Put the samples and the files of the page into the package."""

    def run(self) -> None:
        """Build the package; an editable installation reads `assets/` where it is."""
        super().run()
        if not self.editable_mode:
            inside = Path(self.build_lib) / "autotrain_gradio" / "assets"
            shutil.rmtree(inside, ignore_errors=True)
            # Without the programs that have made the samples; a sample may be a program itself.
            shutil.copytree("assets", inside, ignore=shutil.ignore_patterns("make_*.py", "__pycache__"))


setup(cmdclass={"build_py": WithAssets})
