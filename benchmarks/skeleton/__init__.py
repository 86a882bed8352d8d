"""A bare engine: nothing but the expensive parts, as the practical ceiling to compare with."""
