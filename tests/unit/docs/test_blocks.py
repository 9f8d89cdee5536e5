"""Blocks of code in pages: found with their marks, run in order, their output compared."""

from pathlib import Path

import pytest

from support.doc_blocks import commands_of, read_document, shows
from support.doc_runner import PageFailedError, run_document

PAGE = """# One
<!-- run: echo hidden > made -->

```console
$ cat made
hidden
$ cd .; export NAME=x
```

1. step

   <!-- not run: no board -->

   ```sh
   false
   ```

<!-- ends with 3 -->
```console
$ echo one; echo $NAME >&2; \\
> (exit 3)
one
...
```
```python
print(open("made").read())
```
<!-- compile with: -DTHREE=3 -->
```c
int three(void) { return THREE; }
```
"""


def page(folder: Path, text: str) -> Path:
    path = folder / "page.md"
    path.write_text(text)
    return path


def test_blocks_and_marks_are_found(tmp_path: Path) -> None:
    found = read_document(page(tmp_path, PAGE))
    said = [(b.line, b.language, b.not_run, b.exit_code, b.options) for b in found.blocks]
    assert said == [
        (2, "run", None, 0, ""),
        (4, "console", None, 0, ""),
        (14, "sh", "no board", 0, ""),
        (19, "console", None, 3, ""),
        (25, "python", None, 0, ""),
        (29, "c", None, 0, "-DTHREE=3"),
    ]
    assert found.blocks[2].text == "false\n"
    assert not found.in_checkout


def test_commands_are_told_from_their_output(tmp_path: Path) -> None:
    first, third = (read_document(page(tmp_path, PAGE)).blocks[n] for n in (1, 3))
    assert [(one.text, one.output) for one in commands_of(first)] == [
        ("cat made", "hidden"),
        ("cd .; export NAME=x", ""),
    ]
    assert commands_of(third)[0].text == "echo one; echo $NAME >&2; \\\n(exit 3)"


def test_a_page_runs_in_one_shell(tmp_path: Path) -> None:
    run_document(read_document(page(tmp_path, PAGE)), tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("```sh\ntrue\nfalse\ntrue\n```\n", "page.md:1 failed"),
        ("```console\n$ echo a\nb\n```\n", "-b\n+a"),
        ("```console\n$ false\n```\n", "page.md:1 failed"),
        ("<!-- ends with 2 -->\n```console\n$ true\n```\n", "page.md:2 failed"),
        ("```python\nassert 1 == 2\n```\n", "AssertionError"),
        ("```c\nint three(void) { return THREE; }\n```\n", "THREE"),
        ("<!-- run: false -->\n", "page.md:1 failed"),
    ],
)
def test_what_does_not_do_as_the_page_says_fails(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PageFailedError) as caught:
        run_document(read_document(page(tmp_path, text)), tmp_path)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["<!-- runs: x -->\n", "<!-- not run: no board -->\nwords\n\n```sh\nx\n```\n"],
)
def test_marks_that_would_do_nothing_are_errors(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match="page"):
        read_document(page(tmp_path, text))


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("a\nb", "a  \nb\n\n", True),
        ("a\n...\nd", "a\nb\nc\nd\n", True),
        ("a\n...\nd", "a\nd\n", True),
        ("took ... s", "took 3.1 s\n", True),
        ("took ... s", "took 3.1\ns\n", False),
        ("a", "a\nb\n", False),
        (" a    1", " a  1   \n", True),
        ("ab", "a b", False),
        ("", "a\n", False),
        ("...", "a\nb\n", True),
        ("a.c", "abc\n", False),
    ],
)
def test_output_is_compared_but_for_what_is_left_out(
    expected: str, printed: str, same: bool
) -> None:
    assert shows(expected, printed) is same
