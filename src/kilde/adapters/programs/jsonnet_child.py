"""The child process that evaluates Jsonnet: run as a file, with nothing but rjsonnet; it asks its parent for every file.

Lines of JSON. In: the variables and the files to evaluate, then an answer for each question. Out: questions `{"import": [folder, name]}`,
then `{"results": [...]}` or `{"error": text}`.
"""

import json
import sys
from typing import Any

import rjsonnet

_STACK = 500  # jsonnet's own default


def _main() -> None:
    asked: dict[tuple[str, str], tuple[str, str]] = {}

    def tell(what: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()

    def found(folder: str, name: str) -> tuple[str, str]:
        if (folder, name) not in asked:
            tell({"import": [folder, name]})
            answer = json.loads(sys.stdin.readline())
            if "error" in answer:
                raise ValueError(answer["error"])
            asked[folder, name] = answer["path"], answer["content"]
        return asked[folder, name]

    task = json.loads(sys.stdin.readline())
    try:
        results = [
            rjsonnet.evaluate_file(file, import_callback=found, max_stack=_STACK, **task["variables"])
            for file in task["files"]
        ]
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent tells it
        tell({"error": f"{_unreadable(task['variables'])}{error}"})
        return
    tell({"results": results})


def _unreadable(variables: dict[str, dict[str, str]]) -> str:
    """Which variable's code cannot be read: the evaluator names no place where one cannot."""
    for field, told in (("ext_codes", "extVars"), ("tla_codes", "tlas")):
        for name, code in variables[field].items():
            try:
                rjsonnet.evaluate_snippet(name, f"local code = ({code}\n); null")  # read, and not evaluated
            except RuntimeError:
                return f"{told} '{name}': "
    return ""


if __name__ == "__main__":
    _main()
