"""Compiles scraper/parse/_*.c while the package is installed. Without a C compiler the package is pure Python."""

import shlex
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = tuple(f"scraper/parse/{name}.c" for name in ("_native", "_text", "_links"))
TARGET = "scraper/parse/_native.abi3.so"
"""Of the stable interface: the same file for each Python from 3.11 on."""


class NativeBuildHook(BuildHookInterface[BuilderConfig]):
    """Leaves the compiled file beside its source, where an editable installation looks for it."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a wheel is built; `version` is "editable" or "standard"."""
        if not compiles(Path(self.root)):
            self.app.display_warning(f"{TARGET} was not compiled: the same is done in Python, which takes longer")
        elif version != "editable":
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data.update(pure_python=False, tag=f"cp311-abi3-{platform}")
            build_data["artifacts"].append(TARGET)


def compiles(root: Path) -> bool:
    """Whether there is a new compiled file now. One of an earlier time is gone in any case."""
    command = shlex.split(sysconfig.get_config_var("LDSHARED") or "")
    (root / TARGET).unlink(missing_ok=True)
    if not command:
        return False
    options = ["-O2", "-fPIC", "-fvisibility=hidden", f"-I{sysconfig.get_path('include')}"]
    command += [*options, *SOURCES, "-o", TARGET, "-ldl"]
    try:
        subprocess.run(command, cwd=root, check=True, stdin=subprocess.DEVNULL, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True
