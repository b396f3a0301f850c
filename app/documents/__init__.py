"""Make documents out of records: bulletins as workbooks."""
