"""Output of libraries is kept, and the terminal given back."""

import subprocess

import pytest

from edgesq.quantize import captured_output


def test_captured_output_keeps_text_and_gives_the_terminal_back(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with captured_output() as said:
        subprocess.run(["/bin/sh", "-c", "echo one; echo 'x.py:1: error: two' >&2"], check=True)
        assert said.text() == "one\nx.py:1: error: two\n"
        assert said.last_error() == "two"
    subprocess.run(["/bin/echo", "three"], check=True)
    with pytest.raises(KeyError), captured_output():
        raise KeyError
    subprocess.run(["/bin/echo", "four"], check=True)
    assert capfd.readouterr().out == "three\nfour\n"
