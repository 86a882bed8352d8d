"""The stored program: what the compiler writes and the machine, the web and the tests read."""
