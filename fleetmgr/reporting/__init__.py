"""Plan, Event, Report -> text and JSON. Pure: returns strings and plain data, prints nothing."""
