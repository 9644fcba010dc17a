"""Real Kubernetes control planes on loopback, as plain processes of this user.

Files: ``layout`` where things lie, ``ledger`` what was started (survives any crash),
``processes`` start, recognise and stop, ``loopback`` free ports, ``components`` the
command lines, ``credentials`` keys, tokens and kubeconfigs, ``api`` the few requests that
a start needs, ``seed`` the objects of a new cluster, ``starting`` one component until it
is ready, ``local`` the whole. Where the programs come from is not known here.
"""
