from pathlib import Path

from tests.support.compiling import compiled, diagnosed, imported, problems, run_text, workflow_of

DECORATOR = """
import functools
def logged(f):
    @functools.wraps(f)
    def call(*args, **kwargs):
        return f(*args, **kwargs)
    return call
def bare(f):
    def call(*args):
        return f(*args)
    return call
def borrowed(self):
    return 1
"""


def test_a_decorated_method_is_refused(tmp_path: Path) -> None:
    for decorator in ("logged", "bare"):
        after = f"    @{decorator}\n    def helper(self):\n        return 1\n"
        found = diagnosed(tmp_path, "return self.helper()", before=DECORATOR, after=after)
        assert [one.code for one in found] == ["WM122"], decorator


def test_a_function_borrowed_as_a_method_is_refused(tmp_path: Path) -> None:
    for after in ("    helper = borrowed\n", "    helper = lambda self: 1\n"):
        found = diagnosed(tmp_path, "return self.helper()", before=DECORATOR, after=after)
        assert {one.code for one in found} <= {"WM122", "WM130"}
        assert found


def test_a_function_made_by_another_is_refused(tmp_path: Path) -> None:
    before = "def make():\n    def inner():\n        return 1\n    return inner\nmade = make()\n"
    assert [one.code for one in diagnosed(tmp_path, "return made()", before=before)] == ["WM122"]


def test_a_function_of_another_package_is_refused(tmp_path: Path) -> None:
    imported(tmp_path, "def far(x):\n    return x\n", name="another_package")
    found = diagnosed(tmp_path, "return far(1)", before="from another_package import far\n")
    assert [one.code for one in found] == ["WM122"]
    assert "another_package" in found[0].message
    assert "move it into the workflow's package" in found[0].recommendation


def test_a_function_of_another_package_is_refused_where_it_is_used(tmp_path: Path) -> None:
    library = imported(tmp_path, "def far(x):\n    return x\n", name="another_library")
    before = "import another_library\ndef near(x):\n    return another_library.far(x)\n"
    body = "a = another_library.far(1)\nb = list(map(another_library.far, [near(2)]))\nreturn a, b"
    found = diagnosed(tmp_path, body, before=before)
    shown = [one.excerpt.splitlines()[0].strip() for one in found]
    assert shown == ["return another_library.far(x)", *body.splitlines()[:2]]
    assert all("`another_library.far` is a function of" in one.message for one in found)
    assert all(one.filename != library.__file__ for one in found)
    carets = [one.excerpt.splitlines()[1].count("^") for one in found]
    assert carets == [len("another_library.far")] * 3


def test_what_a_decorator_of_another_package_made_is_refused_at_its_def(tmp_path: Path) -> None:
    text = "import functools\n" + DECORATOR
    library = imported(tmp_path, text, name="another_decorator")
    made = "@another_decorator.logged\ndef made():\n    return 1\n"
    before = f"import another_decorator\n{made}"
    after = "    @another_decorator.logged\n    def helper(self):\n        return 1\n"
    found = diagnosed(tmp_path, "return made(), self.helper()", before=before, after=after)
    assert [one.code for one in found] == ["WM122", "WM122"]
    shown = [one.excerpt.splitlines()[0].strip() for one in found]
    assert shown == ["def made():", "def helper(self):"]
    assert all(one.filename != library.__file__ for one in found)


def test_classes_of_another_package_are_refused_by_that_unless_they_are_values(
    tmp_path: Path,
) -> None:
    text = (
        "from dataclasses import dataclass\nclass Client:\n    @classmethod\n    def made(cls):\n        return cls()\n"
        "made = Client.made\n@dataclass\nclass Value:\n    n: int\n"
    )
    imported(tmp_path, text, name="another_service")
    before = "import another_service\nfrom another_service import Value, made\n"
    assert diagnosed(tmp_path, "return Value(1), another_service.Value(2)", before=before) == ()
    bodies = {
        "return another_service.Client()": "WM123",
        "return another_service.Client.made()": "WM123",
        "return another_service.made()": "WM122",
        "return made()": "WM122",
        "with another_service.Client() as c:\n    pass": "WM102",
    }
    for body, code in bodies.items():
        (found,) = diagnosed(tmp_path, body, before=before)
        assert found.code == code, found
        assert "@action" in found.recommendation, found
        assert "dataclass" not in found.recommendation, found


def test_a_class_inside_a_function_sees_actions_and_constants_of_its_module_only(
    tmp_path: Path,
) -> None:
    text = (
        "from waymark import Workflow, action, workflow\nLIMIT = 2\n"
        "def make(secret):\n"
        "    @action\n    async def inner(x: int) -> int:\n        return x\n"
        "    @workflow\n    class W(Workflow):\n"
        "        async def run(self):\n            return await inner(LIMIT) + self.own()\n"
        "        def own(self):\n            return {}\n"
        "    return W\nW = make(1)\n"
    )
    assert problems(workflow_of(imported(tmp_path, text.format("1")))) == ()
    found = problems(workflow_of(imported(tmp_path, text.format("secret"))))
    assert [one.code for one in found] == ["WM121"]


def test_only_methods_that_are_mentioned_are_compiled_in(tmp_path: Path) -> None:
    before = (
        "from dataclasses import dataclass\n@dataclass\nclass Thing:\n    n: int = 0\n"
        "    def used(self):\n        return self.also()\n"
        "    def also(self):\n        return self.n\n"
        "    def unused(self):\n        return open('f')\n"
        "    def broken(self):\n        return open('f')\n"
    )
    program = compiled(tmp_path, "return Thing(1).used()", before=before).program
    assert sorted(program.types[0].methods) == ["also", "used"]
    assert program.types[0].uncompiled == {}
    found = diagnosed(tmp_path, "return Thing(1).broken()", before=before)
    assert [one.code for one in found] == ["WM123"]
    assert "open" in found[0].message


def test_a_method_that_shares_its_name_with_a_builtin_one_is_left_to_the_machine(
    tmp_path: Path,
) -> None:
    before = (
        "from dataclasses import dataclass\n@dataclass\nclass Thing:\n    n: int = 0\n"
        "    def get(self, key):\n        return open(key)\n"
    )
    program = compiled(tmp_path, "t = Thing()\nreturn {'a': t}.get('a')", before=before).program
    assert "get" in program.types[0].uncompiled
    assert program.types[0].methods == {}


def test_a_captured_set_is_written_in_one_order(tmp_path: Path) -> None:
    before = "NAMES = {'c', 'a', 'b'}\nPAIRS = frozenset({('x', 1), ('a', 2)})\n"
    program = compiled(tmp_path, "return NAMES, PAIRS", before=before).program
    again = compiled(tmp_path, "return NAMES, PAIRS", before=before.replace("'c', 'a'", "'a', 'c'"))
    assert program.globals == again.program.globals


def test_the_wrong_order_of_rounds_never_leaves_a_function_without_body(tmp_path: Path) -> None:
    before = (
        "from dataclasses import dataclass\n@dataclass\nclass Inner:\n    n: int = 0\n"
        "    @property\n    def doubled(self):\n        return self.n * 2\n"
        "@dataclass\nclass Outer:\n    inner: Inner\n"
        "    def total(self):\n        return self.inner.doubled + helper(self.inner)\n"
        "def helper(inner):\n    return [each.doubled for each in [inner]][0]\n"
    )
    program = compiled(tmp_path, "return Outer(Inner(2)).total()", before=before).program
    text = str([one.blocks for one in program.functions])
    assert text.count("Access(") == 2


def test_every_run_text_compiles_as_written(tmp_path: Path) -> None:
    assert "async def run(self):" in run_text("pass")
    assert compiled(tmp_path, "pass").program.functions[0].name == "run"
