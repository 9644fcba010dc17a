"""Files of other hosts, for the hosts that fleet.yaml allows: the address is checked before anything is asked."""
