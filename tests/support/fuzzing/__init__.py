"""Random choices go in; workflows of the accepted language, run in CPython and in the machine, come out."""
