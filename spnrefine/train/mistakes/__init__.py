"""How coarse masks come about: the mistakes of annotators and networks, made on batches."""
