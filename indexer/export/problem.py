"""What the user can put right: said in one sentence, without a traceback."""


class Problem(Exception):
    """Bad input. The text names what was given, what was found and what is needed."""
