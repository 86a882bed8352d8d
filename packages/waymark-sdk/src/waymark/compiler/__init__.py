"""A workflow class goes in; its stored program, spans and diagnostics come out."""
