"""A package's name, then names that must not be installed, in; exit 0 if all of it imports, out."""

import importlib
import importlib.util
import pkgutil
import sys

# Executed by gunicorn inside the server, not imported: settings that read the process they run in; and
# what only pytest imports, in the environments that have one.
_NOT_IMPORTED = frozenset({"waymark_web.gunicorn_conf", "waymark_worker.pytest_plugin"})


def _import_all(package: str) -> int:
    root = importlib.import_module(package)
    found = pkgutil.walk_packages(root.__path__, f"{package}.")
    names = [module.name for module in found if module.name not in _NOT_IMPORTED]
    for name in names:
        importlib.import_module(name)
    return len(names)


def _check(package: str, strangers: list[str]) -> str | None:
    count = _import_all(package)
    if count < 2:
        return f"{package} has {count} modules: the wheel is empty"
    present = [name for name in strangers if importlib.util.find_spec(name)]
    if present:
        return f"{package} declares no dependency on {present}, yet they are installed"
    sys.stdout.write(f"{package}: {count} modules imported\n")
    return None


if __name__ == "__main__":
    sys.exit(_check(sys.argv[1], sys.argv[2:]))
