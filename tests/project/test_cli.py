"""Bad input on the command line: one line, exit code 2."""

import pytest
from cynosure.cli import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param([], "required: COMMAND", id="nothing"),
        pytest.param(["plaec"], "invalid choice: 'plaec'", id="no such command"),
        pytest.param(["place"], "required: --demand", id="a missing option"),
        pytest.param(["ask", "--engine", "oracle", "double chat"], "invalid choice: 'oracle'", id="no such engine"),
        pytest.param(["place", "--demand", "/nowhere.json"], "/nowhere.json", id="no such file"),
    ],
)
def test_bad_input_is_said_in_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(arguments)
    except SystemExit as ending:
        code = int(ending.code or 0)
    printed = capsys.readouterr()
    assert (code, printed.out) == (2, "")
    assert said in printed.err
    assert printed.err.count("\n") == 1
