"""`python -m broadsheet`, and the command. It imports no command before it runs one: every worker process imports this
module anew, and none needs them."""


def main() -> None:
    """Run the command that the process was started with."""
    from broadsheet.cli import main as run

    run()


if __name__ == "__main__":
    main()
