"""One module per change of the schema, in their order."""
