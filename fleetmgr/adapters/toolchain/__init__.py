"""The programs that the sandbox runs: found, downloaded or built, always of a pinned version.

Files: ``pins`` what and which, ``lookup`` on this machine, ``download`` official releases,
``golang`` a Go to build with, ``build`` the pinned modules in ``tools/``, ``cached`` all of
these in order, one process at a time. What the programs are started for is not known here.
"""
