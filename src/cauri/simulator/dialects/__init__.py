"""One folder or file per operator interface, each written from that operator's documents."""
