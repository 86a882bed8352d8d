"""A linked program and journal entries come in; effects and a new state go out."""
