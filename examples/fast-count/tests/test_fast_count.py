"""The C counts as the Python does, on everything, and the command says it."""

import random
from pathlib import Path

import pytest
from fast_count import Count, count, pure
from fast_count.main import main


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "one",
        " a b\tc\r\nd\v\fe ",
        "größer\nals 日本語\n",
        "\x00\x1c\x85",
        "no line feed at the end",
    ],
)
def test_the_two_agree(text: str) -> None:
    assert count(text.encode()) == pure.count(text.encode())


def test_the_two_agree_on_noise() -> None:
    noise = random.Random(1)
    for size in range(300):
        data = noise.randbytes(size)
        assert count(data) == pure.count(data)


def test_characters_are_code_points() -> None:
    assert count("日本語\n".encode()) == Count(lines=1, words=1, characters=4, bytes=10)


def test_any_buffer_is_counted_and_text_is_not() -> None:
    assert count(bytearray(b"a b")) == count(memoryview(b"a b")) == (0, 2, 3, 3)
    with pytest.raises(TypeError):
        count("text")  # type: ignore[arg-type]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a").write_text("one two\n")
    (tmp_path / "b").write_text("three\n")
    assert main([str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    assert [line.split()[:4] for line in capsys.readouterr().out.splitlines()[1:]] == [
        ["1", "2", "8", "8"],
        ["1", "1", "6", "6"],
        ["2", "3", "14", "14"],
    ]
    assert main([str(tmp_path / "none")]) == 1
