"""The entry point of ``bridge`` and ``python -m bridge``."""

import gc

from bridge.cli.main import bridge


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    try:
        bridge(prog_name="bridge")
    finally:
        gc.freeze()  # what is there is not looked through for garbage once more, which takes a tenth of a second


if __name__ == "__main__":
    main()
