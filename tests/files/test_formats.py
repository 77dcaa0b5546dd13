"""Which pictures are opened: Pillow's readers are loaded by name, and a wrong name would go unnoticed until then."""

from pathlib import Path

import PIL
import pytest

from spnrefine.files import formats

READERS = {path.stem for path in Path(PIL.__file__).parent.glob("*ImagePlugin.py")}


@pytest.mark.parametrize("name", formats._PLUGINS.values())
def test_readers_are_named_as_pillow_names_them(name):
    assert [reader for reader in READERS if reader.lower() == name.lower()] in ([name], [])
