"""The Kubernetes API: access, credentials, requests, watches. Never decides what an answer means.

``kubeconfig`` and ``in_cluster`` find the way in, ``credentials`` and ``exec_plugin`` keep it open, ``tls`` and
``transport`` carry bytes with retries and limits, ``answers`` turns refusals into ClusterErrors, ``client`` and
``watching`` speak the API, ``connector`` opens clusters by their entry.
"""
