"""`python -m canarygan`, as the original is run."""

from canarygan_core.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
