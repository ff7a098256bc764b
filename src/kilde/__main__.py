"""`python -m kilde` is `kilde`."""

from kilde.cli.main import main

if __name__ == "__main__":
    main()
