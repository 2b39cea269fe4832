"""The entry point of ``bridge`` and ``python -m bridge``."""

from bridge.cli.main import bridge


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    bridge(prog_name="bridge")


if __name__ == "__main__":
    main()
