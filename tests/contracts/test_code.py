"""What no file of the project may hold, and how large it may grow; exceptions can only become fewer."""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(file for folder in ("include", "plugins", "dags") for file in (ROOT / folder).rglob("*.py"))
TREES = {str(file.relative_to(ROOT)): ast.parse(file.read_text(encoding="utf-8")) for file in FILES}

NO_MODULE = {"pickle", "_pickle", "cPickle", "joblib", "cloudpickle", "dill", "marshal", "shelve"}
NO_CALL = {"eval", "exec", "compile", "__import__"}
NO_ATTRIBUTE = {"read_pickle", "to_pickle", "unsafe_load", "full_load", "load_all", "load_model", "allow_pickle"}

# Modules without a test of their own, with the reason. A line here that is no longer true is an error.
UNTESTED: dict[str, str] = {
    "include/updraft/spec/base.py": "three settings, shown by every test of the parts built on it",
}
# Files over 300 lines, and `execute` methods over 15.
TOO_LONG: dict[str, str] = {}


def test_there_is_code_to_look_at():
    assert len(FILES) > 50
    assert {name.split("/")[0] for name in TREES} == {"include", "plugins", "dags"}


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", node.lineno


def dangers(tree: ast.AST) -> Iterator[str]:
    for module, line in imports(tree):
        if module.split(".")[0] in NO_MODULE:
            yield f"{line}: imports {module}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NO_CALL:
            yield f"{node.lineno}: calls {node.func.id}"
        if isinstance(node, ast.Attribute) and node.attr in NO_ATTRIBUTE:
            yield f"{node.lineno}: uses {node.attr}"
        if isinstance(node, ast.keyword) and node.arg in NO_ATTRIBUTE:
            yield f"{node.value.lineno}: passes {node.arg}"
        if isinstance(node, ast.Attribute) and node.attr == "load" and ast.unparse(node.value) == "yaml":
            yield f"{node.lineno}: uses yaml.load"
        if isinstance(node, ast.ExceptHandler) and too_broad(node.type) and not translates(node):
            yield f"{node.lineno}: catches everything"


def too_broad(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(too_broad(one) for one in caught.elts)
    return caught is None or ast.unparse(caught) in {"Exception", "BaseException"}


def translates(handler: ast.ExceptHandler) -> bool:
    """Whether it does nothing but raise another error from the one it caught."""
    match handler.body:
        case [ast.Raise(cause=ast.Name(id=cause))]:
            return handler.type is not None and cause == handler.name
    return False


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import load",
        "eval('1')",
        "exec(x)",
        "yaml.load(x)",
        "pandas.read_pickle(x)",
        "numpy.load(x, allow_pickle=True)",
        "mlflow.pyfunc.load_model(x)",
        "try:\n    x\nexcept:\n    y",
        "try:\n    x\nexcept Exception as e:\n    y",
        "try:\n    x\nexcept (KeyError, BaseException):\n    y",
        "try:\n    x\nexcept Exception as e:\n    log(e)\n    raise",
        "try:\n    x\nexcept:\n    raise",
    ],
)
def test_the_look_at_code_finds_what_it_is_for(code):
    assert list(dangers(ast.parse(code)))


@pytest.mark.parametrize(
    "code", ["re.compile('x')", "json.loads(x)", "try:\n    x\nexcept KeyError:\n    y", "load(x)"]
)
def test_the_look_at_code_leaves_the_rest_alone(code):
    assert not list(dangers(ast.parse(code)))


def test_no_file_runs_data_as_code_or_swallows_every_error():
    found = [f"{name}:{danger}" for name, tree in TREES.items() for danger in dangers(tree)]
    assert found == []


def test_the_logic_and_the_dags_never_touch_the_import_path():
    found = [name for name, tree in TREES.items() if "sys.path" in ast.unparse(tree)]
    assert found == []


def assert_shrinks(found: set[str], excepted: dict[str, str], what_to_do: str) -> None:
    new, stale = sorted(found - set(excepted)), sorted(set(excepted) - found)
    assert not new, f"{what_to_do}: {', '.join(new)}"
    assert not stale, f"take from the exceptions, for it is no longer true: {', '.join(stale)}"


def named_after(name: str) -> set[str]:
    """Names the test of a module may have: its own, with its packages' before it, or that of one of its packages."""
    parts = Path(name).with_suffix("").parts[2:]
    return {f"test_{parts[-1]}.py", *(f"test_{'_'.join(parts[:depth])}.py" for depth in range(1, len(parts) + 1))}


def imported_by(test: Path) -> set[str]:
    """Modules a test imports, as paths without folder and suffix."""
    found = set()
    for node in ast.walk(ast.parse(test.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {module.replace(".", "/") for module in found}


@pytest.mark.parametrize(("package", "room"), [("include/updraft", "unit"), ("plugins/updraft_airflow", "plugins")])
def test_every_module_has_a_test_that_is_named_after_it_or_imports_it(package, room):
    tests = {file.name: imported_by(file) for file in (ROOT / "tests" / room).glob("test_*.py")}
    assert tests
    imported = set().union(*tests.values())
    modules = {name for name in TREES if name.startswith(f"{package}/") and not name.endswith("__init__.py")}
    untested = {
        name
        for name in modules
        if not named_after(name) & set(tests) and name.split("/", 1)[1].removesuffix(".py") not in imported
    }
    excepted = {name: why for name, why in UNTESTED.items() if name.startswith(package)}
    assert_shrinks(untested, excepted, "write a test for")


def lines(name: str) -> int:
    return len((ROOT / name).read_text(encoding="utf-8").splitlines())


def long_methods(tree: ast.AST, method: str, limit: int) -> list[str]:
    return [
        f"{owner.name}.{method}"
        for owner in ast.walk(tree)
        if isinstance(owner, ast.ClassDef)
        for node in owner.body
        if isinstance(node, ast.FunctionDef) and node.name == method
        if (node.end_lineno or 0) - node.lineno + 1 > limit
    ]


def test_files_and_methods_stay_short():
    long = {name for name in TREES if lines(name) > (60 if name.startswith("dags/") else 300)}
    for name, tree in TREES.items():
        if name.startswith("plugins/"):
            long.update(f"{name}:{method}" for method in long_methods(tree, "execute", 15))
    assert_shrinks(long, TOO_LONG, "split")


def test_the_usual_file_is_read_in_two_minutes():
    assert median(lines(name) for name in TREES if not name.endswith("__init__.py")) <= 120
