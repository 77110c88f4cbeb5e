"""What is known of each kind of model server; one file per kind, nothing here starts or asks anything."""
