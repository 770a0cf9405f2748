"""`python -m gandiag`, which is what torchrun starts."""

from gandiag.cli import main

if __name__ == "__main__":
    main()
