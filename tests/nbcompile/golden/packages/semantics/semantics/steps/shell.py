from __future__ import annotations

from semantics.notebook import captured_output, shell, shell_lines


def shell_step():
    """Step `shell`.

    Gives `captured` and `lines`.
    """
    with captured_output() as captured:
        word = "there"
        print("captured")
        shell(f"echo hello {word}")
        lines = shell_lines("printf 'a\\nb\\n'")
        del word

    return {"captured": captured, "lines": lines}
