"""The Pulumi CLI performs: our live read decides what is to happen, these steps have Pulumi do it and book it."""
