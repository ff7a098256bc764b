"""`python -m kilde` is `kilde`."""

from kilde.cli.entry import main

if __name__ == "__main__":
    main()
