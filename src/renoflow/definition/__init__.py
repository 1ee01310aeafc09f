"""Reading a workflow file into frozen values; nothing in it is resolved here."""
