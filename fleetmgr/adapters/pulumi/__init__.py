"""The only place that imports pulumi: turns Stacks into ``pulumi.CustomResource`` registrations."""
