"""Sides that speak different numbers in; who is older, what to run, and that nothing else suffers, out."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
from pathlib import Path

import pytest

from tests.support.deployments import Deployment
from tests.support.processes import Child, descendants, listing
from tests.support.releases import NoSuchRelease, Release, before
from tests.versions.app.orders import mixed

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(600)]
_CALL = "orders.MixedOrder.call({}, 0.0)"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _before(change: str) -> Release:
    try:
        return before(change)
    except NoSuchRelease as error:
        pytest.skip(f"no wheels of before the last change of the {change}: {error}")


def test_a_newer_program_waits_for_a_newer_pool_with_the_reason(
    deployment: Deployment, today: Release
) -> None:
    old = _before("program")
    pool = deployment.start_pool(old)
    # The app's bridge brings the tables up to date.
    (newer,) = deployment.queue(today, _CALL.format(1))
    (older,) = deployment.queue(old, _CALL.format(2))
    pool.wait_for_line(r"runs\.waiting.*format \d+.*install a newer waymark-worker", seconds=120)
    assert deployment.results(old, [older]) == [mixed(2)]
    assert deployment.rows(f"select state from instances where id = '{newer}'") == [(0,)]
    deployment.start_pool(today)
    assert deployment.results(today, [newer]) == [mixed(1)]


def test_apps_of_both_releases_reach_pools_of_either(
    deployment: Deployment, today: Release
) -> None:
    """One host, one user: each protocol has a bridge of its own, so neither app meets the other's."""
    old = _before("bridge")
    deployment.start_pool(today)
    ids = deployment.queue(old, _CALL.format(1)) + deployment.queue(today, _CALL.format(2))
    bridges = {path.name[:3] for path in deployment.runtime.glob("*/*.log")}
    assert len(bridges) == 2, bridges
    assert deployment.results(old, ids) == deployment.results(today, ids) == [mixed(1), mixed(2)]


def test_a_sidecar_of_another_release_says_who_is_older(
    deployment: Deployment, today: Release
) -> None:
    """By an address there is no choice of bridge: the client must be told."""
    old = _before("bridge")
    deployment.start_pool(today)
    for served, asking, older in ((old, today, "the bridge"), (today, old, "this process")):
        at = {"WAYMARK_BRIDGE_ADDR": f"127.0.0.1:{_free_port()}", "WAYMARK_BRIDGE_TOKEN": "secret"}
        bridge = deployment.processes.start(
            [served.command("waymark-bridge")], environment=deployment.environment(at)
        )
        app = deployment.app(
            asking,
            f"asyncio.run(waymark.Workflow.start_many([{_CALL.format(1)}]))",
            **at,
        )
        assert app.wait(seconds=240) != 0
        assert "speaks bridge protocol" in app.output
        assert re.search(rf"{older} \(waymark-sdk [^)]*\) is older than", app.output), app.output
        assert "Install the same waymark-sdk for both, then restart" in app.output
        bridge.kill()


def _installed_over(release: Release, folder: Path) -> Release:
    """Copy an environment, so that packages can be replaced under a pool that runs from it."""
    home = release.bin.parent
    copy = folder / "environment"
    shutil.copytree(home, copy, symlinks=True)
    for script in (copy / "bin").iterdir():
        if script.is_file() and not script.is_symlink() and script.name.startswith("waymark"):
            text = script.read_text()
            script.write_text(text.replace(str(home), str(copy)))
    return Release(release.commit, copy / "bin")


def test_packages_replaced_under_a_running_pool_leave_its_workers_alone(
    deployment: Deployment, tmp_path: Path
) -> None:
    """A worker that is started later speaks for the new packages; the pool says so and goes on with the others."""
    installed = _installed_over(_before("migration"), tmp_path)
    pool = deployment.start_pool(installed)
    (frames,) = installed.bin.parent.glob("lib/*/site-packages/waymark_schema/wire/frames.py")
    text = frames.read_text()
    found = re.search(r"^PROTOCOL = (\d+)$", text, re.MULTILINE)
    assert found is not None
    ours, newer = int(found[1]), int(found[1]) + 1
    frames.write_text(text.replace(found[0], f"PROTOCOL = {newer}"))
    os.kill(_workers(pool)[0], signal.SIGKILL)
    pool.wait_for_line(f"the worker speaks protocol {newer}, this pool {ours}", seconds=240)
    ids = deployment.queue(installed, *[_CALL.format(n) for n in range(5)])
    assert deployment.results(installed, ids) == [mixed(n) for n in range(5)]
    assert pool.running


def _workers(pool: Child) -> list[int]:
    below = set(descendants(pool.pid))
    return [
        seen.pid for seen in listing() if seen.pid in below and "waymark.executor" in seen.command
    ]
