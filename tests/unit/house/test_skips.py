"""The skip rule in; its failures, only in CI and only for what can be installed, out."""

import pytest

_CASES = """
    import pytest
    from tests.support.requirements import require_command

    def test_installable():
        require_command("no-such-command", package="no-such-package")

    def test_of_the_machine():
        pytest.skip("this kernel has no user namespaces")

    @pytest.mark.xfail(reason="install nothing", strict=True)
    def test_expected_to_fail():
        assert False
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    pytester.makepyfile(_CASES)
    monkeypatch.delenv("WAYMARK_TEST_NO_SKIP", raising=False)
    return pytester


def test_a_skip_is_a_skip_on_a_developers_machine(run: pytest.Pytester) -> None:
    outcome = run.runpytest_inprocess("-p", "tests.fixtures.skips", "-p", "no:randomly")
    outcome.assert_outcomes(skipped=2, xfailed=1)


def test_in_ci_a_skip_that_an_installation_would_cure_fails(
    run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYMARK_TEST_NO_SKIP", "1")
    outcome = run.runpytest_inprocess("-p", "tests.fixtures.skips", "-p", "no:randomly")
    outcome.assert_outcomes(failed=1, skipped=1, xfailed=1)
    outcome.stdout.fnmatch_lines(["*install no-such-package*"])


def test_in_ci_a_module_that_cannot_be_imported_fails_its_whole_file(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile("import pytest; pytest.importorskip('no_such_module')")
    monkeypatch.setenv("WAYMARK_TEST_NO_SKIP", "1")
    outcome = pytester.runpytest_inprocess("-p", "tests.fixtures.skips", "-p", "no:randomly")
    outcome.assert_outcomes(errors=1)
