"""``python -m fleetmgr`` is ``fleet``."""

from fleetmgr.cli.main import main

if __name__ == "__main__":
    main()
