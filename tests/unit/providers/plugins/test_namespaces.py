"""Each plugin has its own app.providers, and nobody else has one."""

import importlib
import sys

import pytest
from structlog.testing import capture_logs

from chatsubo.providers.namespaces import Namespace
from chatsubo.providers.seedstyle.base.provider import BaseProvider as SeedProvider


def load(place, module="provider"):
    return vars(Namespace(place.name, place).load(module))


@pytest.mark.parametrize(
    "statement",
    [
        "from app.providers.base.provider import BaseProvider",
        "from app.providers.base import provider; BaseProvider = provider.BaseProvider",
        ("from app.providers import exc, base\n"
        "from app.providers.base import provider\nBaseProvider = provider.BaseProvider"),
        "import app.providers.base.provider; BaseProvider = app.providers.base.provider.BaseProvider",
        "import app.providers.base.provider as p; BaseProvider = p.BaseProvider",
        ("from app import providers as p\n"
        "import app.providers.base.provider\nBaseProvider = p.base.provider.BaseProvider"),
        "def late():\n  from app.providers.base.provider import BaseProvider as B\n  return B\nBaseProvider = late()",
    ],
)  # fmt: skip
def test_every_way_to_import_finds_the_names(write, statement):
    assert load(write("rack", statement))["BaseProvider"] is SeedProvider
    assert "app" not in sys.modules


def test_two_plugins_have_their_own_files_of_the_same_names(write):
    code = "from app.providers.{kind}.instance import WHO\nfrom . import instance\nassert instance.WHO is WHO"
    found = [
        load(write(kind, code.format(kind=kind.replace("-", "_")), instance=f"WHO = {kind!r}"))["WHO"]
        for kind in ("rack", "yard", "my-rack")
    ]
    assert found == ["rack", "yard", "my-rack"]


def test_a_plugin_does_not_see_the_files_of_another(write):
    write("yard")
    with pytest.raises(ModuleNotFoundError, match=r"app\.providers\.yard"):
        load(write("rack", "import app.providers.yard.provider"))


def test_a_real_app_package_is_neither_hidden_nor_seen(write, tmp_path, monkeypatch):
    package = tmp_path / "elsewhere" / "app"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("WHO = 'the real one'")
    monkeypatch.syspath_prepend(package.parent)
    place = write("rack", "from app.providers.labels import parse_flags\nassert parse_flags([]) == []")
    load(place)
    assert importlib.import_module("app").WHO == "the real one"
    load(place)
    assert sys.modules["app"].WHO == "the real one"
    (place / "late.py").write_text("import app\nhas = hasattr(app, 'WHO')")
    assert load(place, "late")["has"] is False
    monkeypatch.delitem(sys.modules, "app")


def test_odd_escapes_of_old_code_are_no_reason_to_refuse_it_and_nothing_is_written_beside_it(write):
    place = write("rack", 'PATTERN = "(chatsubo\\..*)=(.*)"')
    assert load(place)["PATTERN"] == "(chatsubo\\..*)=(.*)"
    assert not (place / "__pycache__").exists()


def test_an_init_file_is_run_as_that_of_a_package(write):
    place = write("rack", "from app.providers.rack import WHO", __init__="WHO = 'rack'")
    assert load(place)["WHO"] == "rack"


def test_a_plugin_that_is_loaded_again_is_read_again(write):
    place = write("rack", "WHO = 1")
    assert load(place)["WHO"] == 1
    (place / "provider.py").write_text("WHO = 2")
    assert load(place)["WHO"] == 2


def test_what_a_plugin_prints_goes_to_the_log(write, capsys):
    with capture_logs() as logs:
        load(write("rack", "import sys\nprint('so', 'be', 'it', sep='-')\nprint('out', file=sys.stderr)"))
    assert [(one["kind"], one["output"]) for one in logs] == [("rack", "so-be-it")]
    written = capsys.readouterr()
    assert (written.out, written.err) == ("", "out\n")
