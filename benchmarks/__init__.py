"""The figures that README and the issues promise, as commands that print tables. Never part of the tests."""
