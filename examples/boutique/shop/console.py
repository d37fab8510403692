"""What happens, one line each on the standard output, at once: a demo reads along."""


def say(line: str) -> None:
    """Prints one event, in one piece: several threads speak."""
    print(f"{line}\n", end="", flush=True)
