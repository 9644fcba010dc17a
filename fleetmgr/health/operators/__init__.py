"""Rules for custom resources of the operators that fleets run; one operator a module, each with its ``RULES``.

The meaning of a status is taken from Argo CD (the file of ``resource_customizations`` is named in each module)
where it has a check, and from the operator's API documentation elsewhere.
"""
