"""Reading JSON without the package that reads JSON: the same answers, the same refusals."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.io import jsons

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_documents(value: object, ascii_only: bool) -> None:
    data = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert repr(jsons.loads(data)) == repr(json.loads(data))


@given(st.text('{}[]":,. \\n1-etrufalsn\u00e4\n', max_size=12))
def test_texts(text: str) -> None:
    data = text.encode()
    try:
        expected = json.loads(data)
    except ValueError:
        with pytest.raises(ValueError):
            jsons.loads(data)
    else:
        assert repr(jsons.loads(data)) == repr(expected)


@pytest.mark.parametrize(
    "data", [b" [1] ", b"\xef\xbb\xbf[1]"[3:], "[1]".encode("utf-16"), b"[NaN]", b'{"a": 1, "a": 2}']
)
def test_what_the_scanner_leaves(data: bytes) -> None:
    assert repr(jsons.loads(data)) == repr(json.loads(data))


@pytest.mark.parametrize("data", [b"", b"\xff", b"{", b"[1,]", b'"\n"', b"[1] 2", b"[" + b"1" * 5000 + b"]"])
def test_refusals_are_values_errors_also_where_json_was_not_loaded(data: bytes) -> None:
    program = f"from accord.io import jsons\ntry: jsons.loads({data!r})\nexcept ValueError: print('refused')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "refused\n"


def test_a_deep_document() -> None:
    with pytest.raises(RecursionError):
        jsons.loads(b"[" * 100_000)


def test_what_is_read_usually_loads_no_json() -> None:
    program = 'from accord.io import jsons; import sys; jsons.loads(b\'{"a":[[],"x"],"b":0}\'); print(\'json\' in sys.modules)'
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


WRITTEN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(WRITTEN)
def test_what_is_written_is_what_json_writes(document: object) -> None:
    assert jsons.dumps(document).decode() == json.dumps(document, indent=2, sort_keys=True) + "\n"


def test_what_json_has_no_form_for_is_not_written() -> None:
    with pytest.raises(TypeError):
        jsons.dumps({"a": 1.5})
